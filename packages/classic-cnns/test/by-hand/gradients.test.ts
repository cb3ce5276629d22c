import { conv2d, conv2dGradients, learnKernel } from "@gradlab/classic-cnns/by-hand";
import fc from "fast-check";
import { expect, test } from "vitest";
import { dot, layersWithNumbers, shaped, wave } from "./numbers.js";

test("gradients are the slopes of ⟨y, dy⟩ along any change of input, filters and bias", () => {
  const modes = fc.constantFrom("zero", "edge", "reflect", "symmetric", "circular");
  fc.assert(
    fc.property(layersWithNumbers, modes, ({ layer, x, filters }, paddingMode) => {
      const options = { ...layer.options, paddingMode };
      const bias = filters.map((_, o) => o);
      const y = conv2d(x, filters, { ...options, bias });
      const number = (i: number, j: number, k: number) => ((3 * i + 5 * j + 7 * k) % 9) - 4;
      const like = (volume: readonly (readonly (readonly number[])[])[]) =>
        volume.map((plane, c) => plane.map((row, i) => row.map((_, j) => number(c, i, j))));
      const dy = like(y);
      const gradients = conv2dGradients(x, filters, dy, options);
      // The layer is linear in each of them: the difference of one step is the slope, exactly on whole numbers.
      const step = (changed: number[][][]) => dot(changed, dy) - dot(y, dy);
      const dx = like(x);
      const moved = x.map((plane, c) => plane.map((row, i) => row.map((value, j) => value + dx[c]![i]![j]!)));
      expect(step(conv2d(moved, filters, { ...options, bias }))).toBe(dot(gradients.x, dx));
      const dw = filters.map((filter) => like(filter));
      const turned = filters.map((filter, o) =>
        filter.map((plane, c) => plane.map((row, i) => row.map((value, j) => value + dw[o]![c]![i]![j]!))),
      );
      expect(step(conv2d(x, turned, { ...options, bias }))).toBe(dot(gradients.filters.flat(), dw.flat()));
      const raised = bias.map((value, o) => value + o + 1);
      expect(step(conv2d(x, filters, { ...options, bias: raised }))).toBe(
        gradients.bias.reduce((sum, value, o) => sum + value * (o + 1), 0),
      );
    }),
  );
});

test("the kernel of an edge is learned from one pair", () => {
  const x = Array.from({ length: 6 }, () => [1, 1, 0, 0, 0, 0, 1, 1]);
  const y = Array.from({ length: 6 }, () => [0, 1, 0, 0, 0, -1, 0]);
  const { kernel, losses } = learnKernel([[x, y]], { size: [1, 2], rate: 0.03, steps: 30 });
  expect(Math.abs(kernel[0]![0]! - 1)).toBeLessThan(0.001);
  expect(Math.abs(kernel[0]![1]! + 1)).toBeLessThan(0.001);
  expect(losses).toHaveLength(31);
  expect(losses[0]).toBe(12);
  // By hand: at zero the error is −y, its gradient −2 · 6 · (1, −1), and one step is 0.36 of the way.
  const first = learnKernel([[x, y]], { size: [1, 2], rate: 0.03, steps: 1 }).kernel;
  expect(first[0]![0]).toBeCloseTo(0.36, 14);
  expect(first[0]![1]).toBeCloseTo(-0.36, 14);
  // It goes on from where it starts.
  const later = learnKernel([[x, y]], { size: [1, 2], rate: 0.03, steps: 29, start: first });
  expect(later.kernel).toEqual(kernel);
});

test("a kernel is learned back from pairs, with stride and padding", () => {
  const kernel = shaped(wave(6, 1), [2, 3]);
  const options = { stride: [2, 1], padding: 1, paddingMode: "reflect" } as const;
  const pairs = [0, 1].map((phase) => {
    const x = shaped(wave(48, phase), [6, 8]);
    return [x, conv2d([x], [[kernel]], options)[0]!] as const;
  });
  const learned = learnKernel(pairs, { size: [2, 3], rate: 0.01, steps: 300, ...options });
  expect(learned.losses.at(-1)).toBeLessThan(1e-9);
  for (const [a, row] of kernel.entries()) {
    for (const [b, tap] of row.entries()) expect(learned.kernel[a]![b]).toBeCloseTo(tap, 4);
  }
});
