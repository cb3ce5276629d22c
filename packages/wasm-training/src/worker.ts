/**
 * What a worker of a page runs, as a file: for pages whose policy forbids the blob that `companion/worker-source.ts` is
 * otherwise. A script, not a module: nothing is imported, nothing exported.
 */
interface Start {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: number;
  readonly thread: number;
  readonly spins: number;
}

self.onmessage = ({ data }: MessageEvent<Start>) => {
  const { module, memory, control, thread, spins } = data;
  const { listen } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  (listen as (control: number, thread: number, spins: number) => void)(control, thread, spins);
  self.close();
};
