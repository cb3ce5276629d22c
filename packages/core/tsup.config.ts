import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import type { Plugin } from "esbuild";
import { defineConfig } from "tsup";
import shared from "../../tsup.config.ts";

const require = createRequire(import.meta.url);
const tfjs = dirname(require.resolve("@tensorflow/tfjs-core"));
const publicNames = new Set(Object.keys(require("@tensorflow/tfjs-core")));

/** The names that a module imports from one of its relatives; none for `import *`. */
function namesImported(importer: string, path: string): string[] {
  const statements = readFileSync(importer, "utf8").matchAll(/^import \{([^}]*)\} from '([^']+)';/gm);
  return [...statements]
    .filter((statement) => statement[2] === path)
    .flatMap((statement) => statement[1]!.split(",").map((name) => name.trim().split(" as ")[0]!));
}

/**
 * Bundles the gradient modules of tfjs-core and what they need beyond its
 * public API. All that is public is imported from `@tensorflow/tfjs-core`
 * instead, so that there stays one engine and one registry.
 */
const gradientsOnly: Plugin = {
  name: "gradients-only",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ path, importer }) => {
      if (!importer.startsWith(tfjs)) return undefined;
      const file = `${resolve(dirname(importer), path)}.js`;
      if (file === resolve(tfjs, "engine.js")) return { path: "engine", namespace: "tfjs-core" };
      if (file === resolve(tfjs, "tensor.js")) return { path: "tensor", namespace: "tfjs-core" };
      const names = namesImported(importer, path);
      if (names.length > 0 && names.every((name) => publicNames.has(name))) {
        return { path: "@tensorflow/tfjs-core", external: true, sideEffects: false };
      }
      return { path: file, sideEffects: false };
    });
    build.onLoad({ filter: /^engine$/, namespace: "tfjs-core" }, () => ({
      contents: `import { engine } from "@tensorflow/tfjs-core"; export const ENGINE = engine();`,
      resolveDir: tfjs,
    }));
    build.onLoad({ filter: /^tensor$/, namespace: "tfjs-core" }, () => ({
      contents: `import { Tensor } from "@tensorflow/tfjs-core"; export const getGlobalTensorClass = () => Tensor;`,
      resolveDir: tfjs,
    }));
  },
};

export default defineConfig({
  ...shared,
  noExternal: [/^@tensorflow\/tfjs-core\/dist\/gradients\//],
  esbuildPlugins: [gradientsOnly],
});
