import type { Plugin } from "vite";

/**
 * The WASM backend hands the text of a function to its threads, in which a name from outside of it may be missing
 * (`typeof _scriptDir`). A minifier takes that name for one that is always there; as a property it stays what it is.
 */
export function wasmThreads(): Plugin {
  return {
    name: "gradlab-wasm-threads",
    transform(code, id) {
      if (!/tfjs-backend-wasm-threaded-simd\.js/.test(id)) return null;
      const outside = code
        .replace(/var _scriptDir = [^;]+;/, "")
        .replace(/if \(typeof __filename [^;]+;/, "")
        .replaceAll("_scriptDir", "globalThis._scriptDir");
      return { code: outside, map: null };
    },
  };
}
