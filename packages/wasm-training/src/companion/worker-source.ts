/**
 * What a worker thread runs, as text: an instance of the companion on the same
 * memory, which listens for jobs until it is told to stop. It never returns to its event loop in between.
 */
const begin = `
const begin = ({ module, memory, control, thread, spins }) => {
  new WebAssembly.Instance(module, { env: { memory } }).exports.listen(control, thread, spins);
};`;

export const nodeWorkerSource = `${begin}
const { parentPort, workerData } = require("node:worker_threads");
begin(workerData);
parentPort.close();
`;

/** In a page: a blob, unless the page gives the address of `worker.js`. */
export const pageWorkerSource = `${begin}
self.onmessage = ({ data }) => {
  begin(data);
  self.close();
};
`;
