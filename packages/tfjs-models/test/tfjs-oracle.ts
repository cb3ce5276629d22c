import "@tensorflow/tfjs-backend-cpu";
import { type LayerGraph, receptiveField } from "@gradlab/receptive-field";
import * as core from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";

// tfjs's own flag for runs under test: without it the cpu backend advertises another backend on the console.
core.env().set("IS_TEST", true);

/** Every position of a grid, in the order of memory. */
function positions(size: readonly number[]): number[][] {
  return size.reduce<number[][]>(
    (all, n) => all.flatMap((prefix) => Array.from({ length: n }, (_, i) => [...prefix, i])),
    [[]],
  );
}

/** Gives every weight a positive value of its own, so that no two contributions cancel. */
export function makePositive(model: LayersModel): void {
  const weights = model.getWeights().map((weight, place) => {
    const values = Array.from({ length: weight.size }, (_, i) => 0.5 + ((7 * i + 3 * place) % 11) / 11);
    return core.tensor(values, weight.shape);
  });
  model.setWeights(weights);
}

/**
 * For every unit of the model's only output, the pixels whose change changes
 * it: one image per pixel, all in one batch, against a black one.
 */
export async function pixelsByForwardDifference(
  predict: (images: core.Tensor) => core.Tensor,
  size: readonly number[],
  channelsFirst = false,
): Promise<Map<string, string[]>> {
  const pixels = positions(size);
  const images = new Float32Array((pixels.length + 1) * pixels.length);
  pixels.forEach((_, i) => {
    images[(i + 1) * pixels.length + i] = 1;
  });
  const shape = channelsFirst ? [pixels.length + 1, 1, ...size] : [pixels.length + 1, ...size, 1];
  const output = predict(core.tensor(images, shape));
  const outputShape = output.shape.slice(1);
  const values = await output.data();
  const perImage = values.length / (pixels.length + 1);
  const axes = channelsFirst ? [1, 1 + size.length] : [0, outputShape.length - 1];
  const seen = new Map<string, string[]>();
  positions(outputShape).forEach((place, unit) => {
    // Without dimensions of positions there is one position.
    const index = (outputShape.length > 1 ? place.slice(axes[0], axes[1]) : size.map(() => 0)).join();
    const changed = pixels.filter(
      (_, i) => Math.abs(values[(i + 1) * perImage + unit]! - values[unit]!) > 1e-9,
    );
    const known = seen.get(index) ?? [];
    seen.set(index, [...new Set([...known, ...changed.map((pixel) => pixel.join())])].sort());
  });
  return seen;
}

/** The same by arithmetic: the pixels of every unit of a layer. */
export function pixelsByArithmetic(graph: LayerGraph, layer: string): Map<string, string[]> {
  const field = receptiveField(graph);
  const row = field.layers.find(({ name }) => name === layer)!;
  return new Map(
    positions(row.n as number[]).map((index) => {
      const pixels = field.pixelsOf(layer, index).flatMap(({ axes }) => {
        const runs = axes.map((list) =>
          list.flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => a + i)),
        );
        return runs.reduce<number[][]>((all, run) => all.flatMap((p) => run.map((i) => [...p, i])), [[]]);
      });
      return [index.join(), [...new Set(pixels.map((pixel) => pixel.join()))].sort()];
    }),
  );
}
