import "@tensorflow/tfjs-backend-cpu";
import "../op-parity/tfjs-gradients.js";
import { env } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { withDeviceErrors } from "../op-parity/device-errors.js";
import { goldenResults, known, opCases } from "../op-parity/op-cases.js";
import { type CaseOutcome, failuresJson, type OpCase, runOpCase } from "../op-parity/op-parity.js";
import { createWebgpu } from "./create-webgpu.js";

test("webgpu: tfjs alone fails where the list says so, and nowhere else", async () => {
  env().set("PROD", true); // no advertisement on the console
  const { device } = await createWebgpu();
  const outcomes: [OpCase, CaseOutcome][] = [];
  for (const opCase of opCases) {
    const { result } = await withDeviceErrors(device, () => runOpCase(opCase, goldenResults[opCase.name]));
    outcomes.push([opCase, result]);
  }
  await expect(failuresJson(known, "webgpu", outcomes)).toMatchFileSnapshot("../op-parity/alone/webgpu.json");
});
