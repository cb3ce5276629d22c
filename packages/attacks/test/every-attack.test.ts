import { concat, memory, slice, type Tensor, tensor, tidy, zeros } from "@tensorflow/tfjs-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runAttack } from "../src/index.js";
import { everyAttack, nameOf, optionsOf } from "./every-attack.js";
import { backends, predictions, rowsOf, smallCnn, uniformTensor, useBackend } from "./models.js";

const cases = everyAttack.map((each) => [nameOf(each), each] as const);
const count = 4;

describe.each(backends)("on %s", (backend) => {
  const model = smallCnn();
  let x: Tensor;
  let labels: number[];
  beforeEach(() => useBackend(backend));
  beforeAll(async () => {
    await useBackend(backend);
    x = uniformTensor([count, 8, 8, 1], "every attack");
    labels = await predictions(model, x);
  });

  test.each(cases)(
    "%s: the same bits in any batch, order and shard; no tensor left, the input as it was",
    async (_, each) => {
      const before = await rowsOf(x);
      const order = [3, 1];
      const some = tidy(() => concat(order.map((i) => slice(x, [i], [1]))));
      const { numTensors } = memory();
      const options = optionsOf(each, labels, 5);
      const whole = await runAttack(model, each.attack, x, labels, { ...options, batchSize: count });
      const rows = await rowsOf(whole.adversarial);
      const three = await runAttack(model, each.attack, x, labels, { ...options, batchSize: 3 });
      expect(three.samples).toEqual(whole.samples);
      expect(await rowsOf(three.adversarial)).toEqual(rows);
      const { targets } = options;
      const shard = await runAttack(
        model,
        each.attack,
        some,
        order.map((i) => labels[i]!),
        {
          ...options,
          ...(targets && { targets: order.map((i) => (targets as number[])[i]!) }),
          batchSize: 1,
          ids: order,
        },
      );
      expect(shard.samples).toEqual(order.map((i) => whole.samples[i]!));
      expect(await rowsOf(shard.adversarial)).toEqual(order.map((i) => rows[i]!));
      for (const { adversarial } of [whole, three, shard]) adversarial.dispose();
      expect(memory().numTensors).toBe(numTensors);
      some.dispose();
      expect(await rowsOf(x)).toEqual(before);
    },
  );
});

describe("every attack", () => {
  const model = smallCnn();
  let x: Tensor;
  let labels: number[];
  beforeAll(async () => {
    await useBackend("wasm");
    x = uniformTensor([6, 8, 8, 1], "certificates");
    labels = await predictions(model, x);
  });
  beforeEach(() => useBackend("wasm"));

  test.each(cases)("%s finds something, and everything that it finds is certified", async (_, each) => {
    const options = optionsOf(each, labels, 5);
    const { samples, adversarial, summary } = await runAttack(model, each.attack, x, labels, options);
    const seen = await predictions(model, adversarial);
    const [rows, clean] = [await rowsOf(adversarial), await rowsOf(x)];
    for (const [i, sample] of samples.entries()) {
      if (!sample.success) {
        expect(rows[i]).toEqual(clean[i]);
        continue;
      }
      expect(sample.certificate).toMatchObject({ inBounds: true, inBall: true, alone: true });
      if (sample.target === null) expect(seen[i]).not.toBe(sample.label);
      else expect(seen[i]).toBe(sample.target);
      // In double precision, by numbers of this test's own.
      const delta = rows[i]!.map((value, k) => value - clean[i]![k]!);
      const sizes = {
        linf: Math.max(...delta.map(Math.abs)),
        l2: Math.sqrt(delta.reduce((sum, d) => sum + d * d, 0)),
        l1: delta.reduce((sum, d) => sum + Math.abs(d), 0),
        l0: delta.filter((d) => d !== 0).length,
      };
      expect(sample.distances.linf).toBe(sizes.linf);
      expect(sample.distances.l2).toBeCloseTo(sizes.l2, 12);
      expect(sample.distances.l1).toBeCloseTo(sizes.l1, 12);
      expect(sample.distances.l0).toBe(sizes.l0);
      expect(sizes[each.attack.norm]).toBeLessThanOrEqual((each.epsilon ?? Number.POSITIVE_INFINITY) + 1e-12);
      expect(Math.min(...rows[i]!)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...rows[i]!)).toBeLessThanOrEqual(1);
    }
    expect(summary.successOfAll).toBeGreaterThan(0);
  });

  test.each(cases)("%s leaves alone what the mask leaves alone", async (_, each) => {
    const keep = Float32Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? 0 : 1));
    const options = { ...optionsOf(each, labels, 5), ...(each.epsilon && { epsilon: 4 * each.epsilon }) };
    const { adversarial } = await runAttack(model, each.attack, x, labels, {
      ...options,
      mask: tensor(keep, [8, 8, 1]),
    });
    const [rows, clean] = [await rowsOf(adversarial), await rowsOf(x)];
    for (const [i, row] of rows.entries()) {
      for (const [k, value] of row.entries()) if (keep[k] === 0) expect(value).toBe(clean[i]![k]);
    }
  });

  // A constant image is a hard case of its own: gradients of zero, and ties of all classes.
  test.each(cases)(
    "%s is not thrown off by a model whose gradient is zero and whose classes are tied",
    async (_, each) => {
      const flat = {
        bounds: [0, 1] as const,
        classes: 5,
        logits: (images: Tensor) => zeros([images.shape[0]!, 5]),
      };
      const tied = [0, 0, 0, 0, 0, 0];
      const { samples, adversarial } = await runAttack(flat, each.attack, x, tied, optionsOf(each, tied, 5));
      expect(samples.every(({ success }) => !success)).toBe(true);
      expect(await rowsOf(adversarial)).toEqual(await rowsOf(x));
    },
  );
});
