import "@tensorflow/tfjs-backend-cpu";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { env } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { describeFailure, geometry } from "../geometry/geometry.js";
import { geometryOps } from "../geometry/ops.js";

const only = process.env.GRADLAB_GEOMETRY_OP?.split(",");
const backends = process.env.GRADLAB_GEOMETRY_BACKEND?.split(",") ?? ["cpu", "wasm"];
const modes = (process.env.GRADLAB_GEOMETRY_MODE?.split(",") ?? ["value", "gradient"]) as (
  | "value"
  | "gradient"
)[];
const runs = Number(process.env.GRADLAB_GEOMETRY_RUNS ?? 100);
const seed = Number(process.env.GRADLAB_SEED ?? 20240607);

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  installGradients();
  repairKernels("cpu");
  await enableWasmTraining();
});

for (const op of geometryOps.filter(({ name }) => only?.includes(name) ?? true)) {
  for (const mode of modes) {
    if (mode === "gradient" && op.noGradient) continue;
    for (const backend of backends) {
      if (op.on && !op.on.includes(backend)) continue;
      test(`${backend}: ${mode} of ${op.name} is right for random shapes`, async () => {
        const { failing } = await geometry(backend, mode, op, { runs, seed });
        if (failing) expect.fail(`${describeFailure(backend, mode, op, failing)}\n  seed ${seed}`);
      }, 300_000);
    }
  }
}
