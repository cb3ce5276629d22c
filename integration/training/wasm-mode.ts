import type { EnableWasmTrainingOptions } from "@gradlab/wasm-training";

const modes: Readonly<Record<string, EnableWasmTrainingOptions>> = {
  default: {},
  composition: { companion: false },
  plain: { companion: true, relaxedSimd: false, threads: 1 },
  relaxed: { companion: true, relaxedSimd: true, threads: 2 },
};

/** How the suites enable training on wasm: as `GRADLAB_WASM` and `GRADLAB_WASM_THREADS` say, or as users get it. */
export function wasmMode(): EnableWasmTrainingOptions {
  const threads = process.env.GRADLAB_WASM_THREADS;
  const name = process.env.GRADLAB_WASM ?? "default";
  const mode = modes[name];
  if (mode === undefined) {
    throw new RangeError(`GRADLAB_WASM: expected one of ${Object.keys(modes).join(", ")}, got ${name}`);
  }
  return threads === undefined ? mode : { ...mode, threads: Number(threads) };
}
