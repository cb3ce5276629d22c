import { env } from "@tensorflow/tfjs-core";

/**
 * What emscripten and tfjs print directly when a WASM binary cannot be loaded or there is
 * no WebGL; the reason is in the report.
 */
const noise =
  /^(?:failed to asynchronously prepare wasm|Aborted\(|wasm streaming compile failed|falling back to ArrayBuffer|Could not get context for WebGL)/;

/**
 * Runs a function while tfjs is silent: its advertisement in Node, its
 * warnings about failed backends, and the lines of a WASM binary that does
 * not load or a page without WebGL. All other lines that are printed meanwhile pass.
 */
export async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const before = env().getFlags().PROD;
  env().set("PROD", true);
  const { console } = globalThis;
  const methods = ["log", "warn", "error"] as const;
  const passing = { log: console.log, warn: console.warn, error: console.error };
  const filtered = (method: (typeof methods)[number]) =>
    (console[method] = (...values: unknown[]) => {
      if (!noise.test(String(values[0]))) passing[method].apply(console, values);
    });
  const ours = { log: filtered("log"), warn: filtered("warn"), error: filtered("error") };
  try {
    return await run();
  } finally {
    for (const method of methods) {
      if (console[method] === ours[method]) console[method] = passing[method];
    }
    if (before === undefined) delete env().getFlags().PROD;
    else env().set("PROD", before);
  }
}
