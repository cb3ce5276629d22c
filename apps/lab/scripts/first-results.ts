import { selectBackend } from "@gradlab/backend-select";
import { svgText } from "@gradlab/figures";
import { exampleOptions, type Study, type StudyContext, studies } from "@gradlab/studies";
import { JSDOM } from "jsdom";
import { accessibleSvg } from "../src/accessible-svg.js";
import { firstOptions } from "../src/first-options.js";
import type { FirstResult } from "../src/first-result.js";

/** What every page shows first: the study with its first settings, run where the lab is built. */
export async function firstResults(): Promise<readonly FirstResult[]> {
  const results: FirstResult[] = [];
  for (const study of studies) results.push(await firstResult(study));
  return results;
}

async function firstResult(study: Study): Promise<FirstResult> {
  const { name, help } = study;
  const options = firstOptions(study);
  // Without an example there is nothing to show before the visitor's own files; of the builder's machine nobody asks.
  if (exampleOptions(study) === null || name === "doctor") return { name, help, options, shown: null };
  const events = study.run(options, {}, context);
  let next = await events.next();
  while (!next.done) next = await events.next();
  const { document } = new JSDOM("").window;
  return {
    name,
    help,
    options,
    shown: {
      tables: study.tables(next.value, "wasm"),
      figures:
        study.drawn === null
          ? []
          : (study.figures?.(next.value, { document }) ?? []).map(({ caption, svg }) => ({
              caption,
              svg: svgText(accessibleSvg(svg, caption)),
            })),
    },
  };
}

const { signal } = new AbortController();

const context: StudyContext = {
  signal,
  openBackend: async () => {
    const { backend, device, software } = await selectBackend({ only: "wasm", signal });
    return { name: backend, device, software };
  },
  diagnose: () => Promise.reject(new Error("the machine that builds the lab is not looked at")),
};
