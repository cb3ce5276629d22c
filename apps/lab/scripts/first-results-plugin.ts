import { type Plugin, runnerImport } from "vite";
import type { FirstResult } from "../src/first-result.js";
import type { FirstResults } from "./first-results.js";

/** The pages of the lab in a build, as `virtual:pages` gives them. */
const pagesModule = "virtual:pages";

/**
 * Runs every study once while the lab is built: `virtual:pages` lists them, `first/<study>.json` holds what a page
 * shows before its code is there, and beside it lie the networks and pictures that pages begin with.
 */
export function firstResults(): Plugin {
  let computed: Promise<FirstResults> | null = null;
  const made = () => {
    computed ??= runnerImport<{ firstResults(): Promise<FirstResults> }>(
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
      const { results, examples } = await made();
      const pages = results.map(({ name, help }) => ({ name, help }));
      return `export const pages = ${JSON.stringify(pages)};\nexport const examples = ${JSON.stringify(examples)};`;
    },
    async generateBundle() {
      const { results, files } = await made();
      for (const result of results) {
        this.emitFile({ type: "asset", fileName: fileName(result), source: JSON.stringify(result) });
      }
      for (const [name, source] of files) this.emitFile({ type: "asset", fileName: `first/${name}`, source });
    },
    configureServer(server) {
      server.middlewares.use(async (request, response, next) => {
        const path = new URL(request.url ?? "/", "http://localhost").pathname;
        if (!path.includes("/first/")) return next();
        const { results, files } = await made();
        const file = [...files].find(([name]) => path.endsWith(`/${name}`));
        if (file !== undefined) return response.end(file[1]);
        const found = results.find((one) => path.endsWith(fileName(one)));
        if (found === undefined) return next();
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(found));
      });
    },
  };
}
