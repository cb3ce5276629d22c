import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  changed,
  isThere,
  layers,
  measureChoices,
  measureCosts,
  ways,
  windowOf,
} from "../scripts/measure-costs.js";
import { costs } from "../src/costs.js";
import { enableWasmTraining } from "../src/enable-wasm-training.js";
import { convolutionCosts } from "../src/kernels/convolution-costs.js";

// That each number can be measured, and each way be taken; the times of a machine with other work are no test.

const fast = { rounds: 1, least: 0 };
let stop: () => void = () => undefined;
beforeAll(async () => {
  tf.env().set("PROD", true); // no advertisement on the console
  ({ stop } = await enableWasmTraining({ companion: true, threads: 2 }));
  await tf.setBackend("wasm");
});
afterAll(() => stop());

describe.each(["companion", "composition"] as const)("the costs of the %s", (provider) => {
  beforeAll(async () => {
    await enableWasmTraining(
      provider === "companion" ? { companion: true, threads: 2 } : { companion: false },
    );
  });

  test("each number of the table is measured, the table stays as it was, and nothing is left behind", () => {
    const before = structuredClone(costs);
    const { numTensors } = tf.memory();
    const measured = measureCosts(provider, tf.backend() as BackendWasm, fast);
    expect(Object.keys(measured).sort()).toEqual(Object.keys(costs[provider]).sort());
    for (const [name, value] of Object.entries(measured)) expect(value, name).not.toBeNaN();
    expect(measured.product).toBeGreaterThan(0);
    expect(costs).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  test("each way of a convolution takes its time", () => {
    const before = structuredClone(costs);
    const choices = measureChoices(provider, fast);
    expect(choices.length).toBe(provider === "companion" ? 10 : 30);
    for (const { name, ways, chosen } of choices) {
      expect(Object.keys(ways).length, name).toBeGreaterThan(1);
      for (const time of [...Object.values(ways), chosen]) expect(time, name).toBeGreaterThan(0);
    }
    expect(costs).toEqual(before);
  });
});

test("the price that forces a way makes it the cheapest, on every layer that is measured", () => {
  for (const [batch, size, channels, taps, stride, filters] of layers) {
    const window = windowOf(batch, size, channels, taps, stride);
    for (const [part, forced] of Object.entries(ways.composition)) {
      for (const [way, prices] of Object.entries(forced)) {
        if (!isThere(way, stride)) continue;
        const all = changed("composition", prices, () => convolutionCosts(window, filters));
        const costsOf = all[part as keyof typeof all] as Readonly<Record<string, number>>;
        const [cheapest] = Object.entries(costsOf).sort(([, a], [, b]) => a - b)[0]!;
        expect(cheapest, `${part} of ${size}x${size}x${channels}, ${taps}x${taps}`).toBe(way);
      }
    }
  }
});
