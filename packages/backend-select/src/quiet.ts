import { env } from "@tensorflow/tfjs-core";

/** What emscripten and tfjs print directly when a WASM binary cannot be loaded; the reason is in the report. */
const noise =
  /^(?:failed to asynchronously prepare wasm|Aborted\(|wasm streaming compile failed|falling back to ArrayBuffer)/;

/**
 * Runs a function while tfjs is silent: its advertisement in Node, its
 * warnings about failed backends, and the lines of a WASM binary that does
 * not load. All other lines that are printed meanwhile pass.
 */
export async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const before = env().getFlags().PROD;
  env().set("PROD", true);
  const { console } = globalThis;
  const passing = { warn: console.warn, error: console.error };
  const filtered = (method: "warn" | "error") =>
    (console[method] = (...values: unknown[]) => {
      if (!noise.test(String(values[0]))) passing[method].apply(console, values);
    });
  const ours = { warn: filtered("warn"), error: filtered("error") };
  try {
    return await run();
  } finally {
    for (const method of ["warn", "error"] as const) {
      if (console[method] === ours[method]) console[method] = passing[method];
    }
    if (before === undefined) delete env().getFlags().PROD;
    else env().set("PROD", before);
  }
}
