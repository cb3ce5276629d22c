import { readFileSync } from "node:fs";
import { selectBackend } from "@gradlab/backend-select";
import { env } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import type { Mode } from "../geometry/check-case.js";
import { describeFailure, geometry } from "../geometry/geometry.js";
import { geometryOps } from "../geometry/ops.js";
import { survey } from "../geometry/survey.js";
import { tfjsNodeFolder } from "./load-tfjs-node.js";

const only = process.env.GRADLAB_GEOMETRY_OP?.split(",");
const modes = (process.env.GRADLAB_GEOMETRY_MODE?.split(",") ?? ["value", "gradient"]) as Mode[];
const runs = Number(process.env.GRADLAB_GEOMETRY_RUNS ?? 30);
const seed = Number(process.env.GRADLAB_SEED ?? 20240607);

interface Known {
  readonly ops: readonly string[];
  readonly modes: readonly Mode[];
  readonly is: "throws" | "wrong";
  readonly because: string;
}

/** What is not right on this backend, and why. */
const known: readonly Known[] = JSON.parse(
  readFileSync(new URL("geometry-known.json", import.meta.url), "utf8"),
);

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  await selectBackend({ only: "tfjs-node", resolveFrom: tfjsNodeFolder });
});

test("what is known is about ops that exist", () => {
  const names = new Set(geometryOps.map(({ name }) => name));
  expect(known.flatMap(({ ops }) => ops).filter((name) => !names.has(name))).toEqual([]);
});

for (const op of geometryOps.filter(({ name }) => only?.includes(name) ?? true)) {
  for (const mode of modes) {
    if (mode !== "value" && op.noGradient) continue;
    if (mode === "second" && !op.second) continue;
    const said = known.find(({ ops, modes }) => ops.includes(op.name) && modes.includes(mode));
    if (said !== undefined) {
      test(`tensorflow: ${mode} of ${op.name} ${said.is}, and nothing is harmed: ${said.because}`, async () => {
        const { ran, failed, kinds } = (await survey(mode, op, { runs: 20, seed }))!;
        expect(kinds).toBe(said.is);
        // Wrong only where the numbers are not by chance the same.
        expect(failed).toBeGreaterThan(said.is === "throws" ? ran - 1 : 0);
      });
      continue;
    }
    test(`tensorflow: ${mode} of ${op.name} is right for random shapes`, async () => {
      const { failing } = await geometry("tensorflow", mode, op, { runs, seed });
      if (failing) expect.fail(`${describeFailure("tensorflow", mode, op, failing)}\n  seed ${seed}`);
    }, 300_000);
  }
}
