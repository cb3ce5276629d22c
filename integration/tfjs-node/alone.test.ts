import { expect, test } from "vitest";
import { goldenResults, known, opCases } from "../op-parity/op-cases.js";
import { type CaseOutcome, failuresJson, type OpCase, runOpCase } from "../op-parity/op-parity.js";
import { loadTfjsNode } from "./load-tfjs-node.js";

// Would show that another TensorFlow computes otherwise.
test("tensorflow: tfjs-node alone fails where the list says so, and nowhere else", async () => {
  loadTfjsNode();
  const outcomes: [OpCase, CaseOutcome][] = [];
  for (const opCase of opCases) {
    outcomes.push([opCase, await runOpCase(opCase, goldenResults[opCase.name])]);
  }
  await expect(failuresJson(known, "tensorflow", outcomes)).toMatchFileSnapshot(
    "../op-parity/alone/tensorflow.json",
  );
});
