import { type Plugin, runnerImport } from "vite";
import type { FirstResult } from "../src/first-result.js";

/** The pages of the lab in a build, as `virtual:pages` gives them. */
const pagesModule = "virtual:pages";

/**
 * Runs every study once while the lab is built: `virtual:pages` lists them, and `first/<study>.json` holds what a page
 * shows before its code is there.
 */
export function firstResults(): Plugin {
  let computed: Promise<readonly FirstResult[]> | null = null;
  const results = () => {
    computed ??= runnerImport<{ firstResults(): Promise<readonly FirstResult[]> }>(
      new URL("first-results.ts", import.meta.url).pathname,
      // Of packages it takes what is built.
      { configFile: false, logLevel: "error" },
    ).then(({ module }) => module.firstResults());
    return computed;
  };
  const fileName = ({ name }: FirstResult) => `first/${name}.json`;
  return {
    name: "gradlab-first-results",
    resolveId: (id) => (id === pagesModule ? `\0${pagesModule}` : null),
    async load(id) {
      if (id !== `\0${pagesModule}`) return null;
      const pages = (await results()).map(({ name, help }) => ({ name, help }));
      return `export const pages = ${JSON.stringify(pages)};`;
    },
    async generateBundle() {
      for (const result of await results()) {
        this.emitFile({ type: "asset", fileName: fileName(result), source: JSON.stringify(result) });
      }
    },
    configureServer(server) {
      server.middlewares.use(async (request, response, next) => {
        const path = new URL(request.url ?? "/", "http://localhost").pathname;
        const found =
          path.includes("/first/") && (await results()).find((one) => path.endsWith(fileName(one)));
        if (!found) return next();
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(found));
      });
    },
  };
}
