import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { env } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { rowsJson, surveyBackend } from "../geometry/survey-backend.js";
import { createWebgpu } from "./create-webgpu.js";

env().set("PROD", true); // no advertisement on the console
installGradients();
await createWebgpu();
repairKernels("webgpu");

// Would show that a repair is gone, or that something is repaired which the list still has.
test("webgpu: what fails of random shapes is what the list says, and nothing else", async () => {
  const rows = await surveyBackend("webgpu", 4, process.env.GRADLAB_GEOMETRY_OP?.split(","));
  if (process.env.GRADLAB_GEOMETRY_SHOW) process.stdout.write(`${JSON.stringify(rows, null, 1)}\n`);
  await expect(rowsJson(rows)).toMatchFileSnapshot("../geometry/results/webgpu.json");
}, 3_600_000);
