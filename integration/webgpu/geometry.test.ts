import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { env } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { geometryOps } from "../geometry/ops.js";
import { surveyed } from "../geometry/support-table.js";
import { survey } from "../geometry/survey.js";
import { LIST_SEED, rowsJson, surveyBackend } from "../geometry/survey-backend.js";
import { withDeviceErrors } from "../op-parity/device-errors.js";
import { createWebgpu } from "./create-webgpu.js";

env().set("PROD", true); // no advertisement on the console
installGradients();
const adapter = await createWebgpu();
repairKernels("webgpu");

// Wrong silently without the repairs of backend-select, and too seldom for the few cases of the list.
for (const name of [
  "cumsum",
  "cumprod",
  "sum of integers",
  "max of integers",
  "any",
  "all",
  "argMax",
  "transpose",
]) {
  const op = geometryOps.find((candidate) => candidate.name === name)!;
  test(`webgpu: ${name} is right for random shapes`, async () => {
    expect(await survey("value", op, { runs: 30, seed: LIST_SEED })).toBeNull();
  }, 600_000);
}

// Would show that a repair is gone, or that something is repaired which the list still has.
test("webgpu: what fails of random shapes is what the list says, and nothing else", async () => {
  // What the device complains of is what the list has; it is kept from the console.
  const { result: rows } = await withDeviceErrors(adapter.device, () =>
    surveyBackend("webgpu", surveyed.webgpu, { only: process.env.GRADLAB_GEOMETRY_OP?.split(",") }),
  );
  if (process.env.GRADLAB_GEOMETRY_SHOW) process.stdout.write(`${JSON.stringify(rows, null, 1)}\n`);
  await expect(rowsJson(rows)).toMatchFileSnapshot("../geometry/results/webgpu.json");
}, 3_600_000);
