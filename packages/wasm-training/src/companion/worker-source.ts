/**
 * What a worker thread runs, as text: an instance of the companion on the same
 * memory, which listens for jobs until it is told to stop. It never returns to its event loop in between.
 */
export const workerSource = `
const begin = ({ module, memory, control, thread, spins }) => {
  new WebAssembly.Instance(module, { env: { memory } }).exports.listen(control, thread, spins);
};
if (typeof self === "undefined") {
  const { parentPort, workerData } = require("node:worker_threads");
  begin(workerData);
  parentPort.close();
} else {
  self.onmessage = ({ data }) => {
    begin(data);
    self.close();
  };
}
`;
