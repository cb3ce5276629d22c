import * as fc from "fast-check";
import type { Layer, LayerGraph } from "../src/index.js";
import { bruteSize } from "./brute-force.js";

/** Random networks with branches, small enough to be followed tap by tap; every layer has an output. */
export function randomGraph(axes: number, largestInput: number): fc.Arbitrary<LayerGraph> {
  const wish = fc.record({
    kind: fc.constantFrom(
      "conv", "conv", "conv", "pool", "pad", "pointwise", "transposed-conv", "resize", "adaptive-pool", "global-pool",
      "add", "add", "concat", "add", "dense",
    ), // biome-ignore format: weights by repetition
    from: fc.nat(),
    other: fc.nat(),
    kernel: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: axes, maxLength: axes }),
    stride: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: axes, maxLength: axes }),
    dilation: fc.array(fc.constantFrom(1, 1, 1, 2, 3), { minLength: axes, maxLength: axes }),
    padding: fc.oneof(
      fc.constantFrom("same" as const, "valid" as const, 0, 1, 2),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })), {
        minLength: axes,
        maxLength: axes,
      }),
    ),
    signed: fc.array(fc.tuple(fc.integer({ min: -2, max: 3 }), fc.integer({ min: -2, max: 3 })), {
      minLength: axes,
      maxLength: axes,
    }),
    mode: fc.constantFrom(
      "constant" as const,
      "constant" as const,
      "reflect" as const,
      "symmetric" as const,
      "edge" as const,
    ),
    scale: fc.constantFrom(2, 3, 1.5, 0.5, 0.75),
    method: fc.constantFrom("nearest" as const, "bilinear" as const),
    coordinates: fc.constantFrom("half-pixel" as const, "asymmetric" as const, "align-corners" as const),
    ceilMode: fc.boolean(),
  });
  type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

  const layerFor = (one: Wish, name: string, inputs: string[]): Layer => {
    const { kernel, stride, dilation, padding, ceilMode } = one;
    switch (one.kind) {
      case "conv":
        return {
          name,
          op: "conv",
          inputs,
          kernel,
          stride,
          dilation,
          padding,
          ceilMode: padding !== "same" && ceilMode,
        };
      case "pool":
        return {
          name,
          op: "pool",
          inputs,
          kernel,
          stride,
          padding,
          ceilMode: padding !== "same" && ceilMode,
        };
      case "transposed-conv": {
        const outputPadding = padding === "same" ? 0 : stride.map((step) => step - 1);
        return { name, op: "transposed-conv", inputs, kernel, stride, dilation, padding, outputPadding };
      }
      case "pad":
        return { name, op: "pad", inputs, padding: one.signed, mode: one.mode };
      case "resize":
        return {
          name,
          op: "resize",
          inputs,
          scale: one.scale,
          method: one.method,
          coordinates: one.coordinates,
        };
      case "adaptive-pool":
        return { name, op: "adaptive-pool", inputs, outputSize: kernel };
      case "global-pool":
        return { name, op: "global-pool", inputs };
      case "dense":
        return { name, op: "dense", inputs };
      default:
        return { name, op: "pointwise", inputs };
    }
  };

  return fc
    .record({
      shape: fc.array(fc.integer({ min: 3, max: largestInput }), { minLength: axes, maxLength: axes }),
      wishes: fc.array(wish, { minLength: 2, maxLength: 9 }),
    })
    .map(({ shape, wishes }) => {
      const layers: Layer[] = [];
      const sizes: { name: string; size: number[] }[] = [{ name: "input", size: shape }];
      for (const one of wishes) {
        // Mostly on the newest layers, so that networks grow deep.
        const source = sizes[sizes.length - 1 - (one.from % Math.min(3, sizes.length))]!;
        const name = `layer${layers.length}`;
        if (one.kind === "add" || one.kind === "concat") {
          const fits = sizes.filter(({ name: partner, size }) => {
            const matches = (n: number, axis: number) =>
              n === source.size[axis] || (one.kind === "add" && (n === 1 || source.size[axis] === 1));
            return partner !== source.name && size.every(matches);
          });
          const partner = fits[one.other % Math.max(1, fits.length)];
          if (partner === undefined) continue;
          layers.push({ name, op: one.kind, inputs: [source.name, partner.name] });
          sizes.push({ name, size: source.size.map((n, axis) => Math.max(n, partner.size[axis]!)) });
          continue;
        }
        const layer = layerFor(one, name, [source.name]);
        const size = source.size.map((n, axis) => bruteSize(layer, axis, n));
        // A layer that would be empty, grow out of hand, or mirror more than there is, is left out.
        if (size.some((n) => n < 1 || n > 40)) continue;
        const most = Math.min(...source.size) - 1;
        if (layer.op === "pad" && one.signed.flat().some((pad) => pad > most)) continue;
        if (
          layer.op === "resize" &&
          layer.coordinates === "align-corners" &&
          source.size.some((n) => n === 1)
        )
          continue;
        layers.push(layer);
        sizes.push({ name, size });
      }
      if (layers.length === 0) layers.push({ name: "layer0", op: "pointwise" });
      return { input: { shape }, layers };
    });
}
