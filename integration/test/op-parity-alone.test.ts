import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import "../op-parity/tfjs-gradients.js";
import { env, setBackend } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { goldenResults, known, opCases } from "../op-parity/op-cases.js";
import { type CaseOutcome, failuresJson, type OpCase, runOpCase } from "../op-parity/op-parity.js";

env().set("PROD", true); // no advertisement on the console

// Would show that upstream has repaired what this project repairs, or has broken something else.
for (const backend of ["cpu", "wasm"] as const) {
  test(`${backend}: tfjs alone fails where the list says so, and nowhere else`, async () => {
    await setBackend(backend);
    const outcomes: [OpCase, CaseOutcome][] = [];
    for (const opCase of opCases) {
      outcomes.push([opCase, await runOpCase(opCase, goldenResults[opCase.name])]);
    }
    await expect(failuresJson(known, backend, outcomes)).toMatchFileSnapshot(
      `../op-parity/alone/${backend}.json`,
    );
  }, 60_000);
}
