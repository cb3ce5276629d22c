import { convCost, pad } from "@gradlab/classic-cnns/by-hand";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Layer, layers } from "./numbers.js";

/** The multiplications of the layer and of its two gradients, each counted where a loop makes it. */
function countMultiplications({ input, kernel, inputChannels, outputChannels, options }: Layer) {
  const { stride, dilation, padding, groups } = options;
  const zeros = Array.from({ length: input[0] }, () => Array<number>(input[1]).fill(0));
  const padded = pad(zeros, padding);
  const counts = { y: 0, dx: 0, dw: 0 };
  let outputs = 0;
  for (let o = 0; o < outputChannels; o++) {
    for (let top = 0; top + (kernel[0] - 1) * dilation[0] < padded.length; top += stride[0]) {
      for (let left = 0; left + (kernel[1] - 1) * dilation[1] < padded[0]!.length; left += stride[1]) {
        outputs++;
        for (let c = 0; c < inputChannels; c++) {
          const sameGroup =
            Math.floor((c * groups) / inputChannels) === Math.floor((o * groups) / outputChannels);
          if (!sameGroup) continue;
          for (let a = 0; a < kernel[0]; a++) {
            for (let b = 0; b < kernel[1]; b++) {
              counts.y++; // y += w x
              counts.dx++; // dx += w dy
              counts.dw++; // dw += x dy
            }
          }
        }
      }
    }
  }
  return { ...counts, outputs };
}

const costOf = ({ input, options, ...layer }: Layer) => convCost({ size: input, ...layer, ...options });

test("MACs are what loops count, and the way back takes twice as many", () => {
  fc.assert(
    fc.property(layers, (layer) => {
      const { y, dx, dw, outputs } = countMultiplications(layer);
      const { macs, outputSize, weights, memory } = costOf(layer);
      expect(macs).toEqual({ forward: y, backward: dx + dw });
      expect(layer.outputChannels * outputSize[0] * outputSize[1]).toBe(outputs);
      const inputs = layer.inputChannels * layer.input[0] * layer.input[1];
      expect(memory).toEqual({
        forward: inputs + weights + outputs,
        backward: inputs + weights + outputs + inputs + weights, // x, w, dy, dx, dw
      });
    }),
  );
});

test("the first layer of AlexNet", () => {
  // 96 filters of 11x11x3 on 227x227, stride 4: 55x55 outputs.
  const layer = { size: [227, 227], inputChannels: 3, outputChannels: 96, kernel: 11, stride: 4 } as const;
  expect(convCost(layer)).toEqual({
    outputSize: [55, 55],
    weights: 34848,
    macs: { forward: 105415200, backward: 210830400 },
    memory: { forward: 154587 + 34848 + 290400, backward: 2 * (154587 + 34848) + 290400 },
  });
  // A batch shares its weights.
  expect(convCost({ ...layer, batch: 8 })).toMatchObject({
    weights: 34848,
    macs: { forward: 8 * 105415200 },
    memory: { forward: 8 * (154587 + 290400) + 34848 },
  });
});

test("twice the channels on both sides cost four times as much, b blocks 1/b", () => {
  fc.assert(
    fc.property(layers, (layer) => {
      const { macs, weights } = costOf(layer);
      const doubled = costOf({
        ...layer,
        inputChannels: 2 * layer.inputChannels,
        outputChannels: 2 * layer.outputChannels,
      });
      expect([doubled.macs.forward, doubled.macs.backward, doubled.weights]).toEqual([
        4 * macs.forward,
        4 * macs.backward,
        4 * weights,
      ]);
      const whole = costOf({ ...layer, options: { ...layer.options, groups: 1 } });
      expect([whole.macs.forward, whole.macs.backward, whole.weights]).toEqual(
        [macs.forward, macs.backward, weights].map((cost) => layer.options.groups * cost),
      );
    }),
  );
});
