/** Sizes of a kernel in PyTorch's order. */
type Oihw = readonly [outputs: number, inputs: number, height: number, width: number];

/** How many outputs are taken at once: as many rows are read side by side, which the cache holds. */
const TILE = 32;

/**
 * Calls `move` for each element with its place in the order outputs, inputs, height, width (PyTorch's) and in the
 * order height, width, inputs, outputs (tfjs's), in tiles that are near each other in both.
 */
function forEachElement(
  [outputs, inputs, height, width]: Oihw,
  move: (oihw: number, hwio: number) => void,
): void {
  const area = height * width;
  const row = inputs * area; // elements of an output in PyTorch's order
  for (let first = 0; first < outputs; first += TILE) {
    const end = Math.min(outputs, first + TILE);
    for (let input = 0; input < inputs; input++) {
      for (let at = 0; at < area; at++) {
        const from = input * area + at;
        const to = (at * inputs + input) * outputs;
        for (let output = first; output < end; output++) move(output * row + from, to + output);
      }
    }
  }
}

/** A kernel of PyTorch in the layout of tfjs: `[outputs, inputs, height, width]` to `[height, width, inputs, outputs]`. */
export function oihwToHwio(values: Float32Array, sizes: Oihw): Float32Array<ArrayBuffer> {
  const moved = new Float32Array(values.length);
  forEachElement(sizes, (oihw, hwio) => {
    moved[hwio] = values[oihw]!;
  });
  return moved;
}

/** The way back of `oihwToHwio`; `sizes` is in PyTorch's order here too. */
export function hwioToOihw(values: Float32Array, sizes: Oihw): Float32Array<ArrayBuffer> {
  const moved = new Float32Array(values.length);
  forEachElement(sizes, (oihw, hwio) => {
    moved[oihw] = values[hwio]!;
  });
  return moved;
}
