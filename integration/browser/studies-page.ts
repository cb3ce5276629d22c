/** Starts the worker and keeps what it says. */
const worker = new Worker("worker.js", { type: "module" });
worker.onmessage = ({ data }) => {
  (globalThis as { result?: unknown }).result = data;
};
worker.onerror = ({ message }) => {
  (globalThis as { result?: unknown }).result = { error: message };
};
