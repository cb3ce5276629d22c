import { wasmMode } from "../training/wasm-mode.js";
import "@tensorflow/tfjs-backend-cpu";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { env, setBackend } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import type { Mode } from "../geometry/check-case.js";
import { describeFailure, geometry } from "../geometry/geometry.js";
import { geometryOps } from "../geometry/ops.js";
import { RUNS } from "../geometry/support-table.js";
import { survey } from "../geometry/survey.js";

const only = process.env.GRADLAB_GEOMETRY_OP?.split(",");
const backends = process.env.GRADLAB_GEOMETRY_BACKEND?.split(",") ?? ["cpu", "wasm"];
const modes = (process.env.GRADLAB_GEOMETRY_MODE?.split(",") ?? ["value", "gradient", "second"]) as Mode[];
const runs = Number(process.env.GRADLAB_GEOMETRY_RUNS ?? RUNS);
const seed = Number(process.env.GRADLAB_SEED);

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  installGradients();
  repairKernels("cpu");
  await enableWasmTraining(wasmMode());
});

for (const op of geometryOps.filter(({ name }) => only?.includes(name) ?? true)) {
  for (const mode of modes) {
    if (mode !== "value" && op.noGradient) continue;
    if (mode === "second" && !op.second) continue;
    for (const backend of backends) {
      if (op.on && !op.on.includes(backend)) {
        test(`${backend}: ${mode} of ${op.name} is refused, and nothing is harmed: ${op.because}`, async () => {
          await setBackend(backend);
          const { ran, failed, kinds } = (await survey(mode, op, { runs: 20, seed }))!;
          expect({ ran, failed, kinds }).toEqual({ ran: 20, failed: 20, kinds: "throws" });
        });
        continue;
      }
      test(`${backend}: ${mode} of ${op.name} is right for random shapes`, async () => {
        const { failing, ran } = await geometry(backend, mode, op, { runs, seed });
        if (failing) expect.fail(`${describeFailure(backend, mode, op, failing)}\n  seed ${seed}`);
        expect(ran).toBe(runs);
      }, 900_000);
    }
  }
}
