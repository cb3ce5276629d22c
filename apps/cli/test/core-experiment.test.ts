import "@tensorflow/tfjs-backend-cpu";
import { installGradients } from "@gradlab/core";
import {
  env,
  getGradient,
  mul,
  registerGradient,
  setBackend,
  unregisterGradient,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { compareGradients } from "../../../packages/experiments/src/core/compare-gradients.js";

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  installGradients();
  await setBackend("cpu");
});

/** The cases that are off by more than the report allows. */
const wrong = async () =>
  (await compareGradients()).flatMap(({ name, errors }) =>
    errors.every((error) => error <= 1e-5) ? [] : [name],
  );

test("a gradient that is off by a thousandth is found, and no other op is blamed", async () => {
  expect(await wrong()).toEqual([]);
  const wrongly: [kernel: string, names: string[]][] = [
    ["MaxPool", ["maxPool of negative numbers"]],
    ["DepthwiseConv2dNative", ["depthwiseConv2d 3 × 3"]],
    ["Tanh", ["gates of an LSTM: sigmoid times tanh"]],
  ];
  for (const [kernelName, names] of wrongly) {
    const right = getGradient(kernelName);
    unregisterGradient(kernelName);
    registerGradient({
      ...right,
      gradFunc: (dy, saved, attrs) => {
        const gradients = right.gradFunc(dy, saved, attrs);
        return Object.fromEntries(
          Object.entries(gradients).map(([name, f]) => [name, () => mul(f(), 1.001)]),
        );
      },
    });
    expect(await wrong()).toEqual(names);
    installGradients();
  }
  expect(await wrong()).toEqual([]);
});
