import { readSafetensors, writeSafetensors } from "@gradlab/safetensors";

const PAIRS = 9;
const TENSORS = 100;
const ELEMENTS = 250_000; // of 4 bytes: 100 MB in all

function time(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Medians, in milliseconds, of `PAIRS` runs of each, taken in turns after one that does not count. */
function compare(work, floor) {
  const works = [];
  const floors = [];
  for (let pair = -1; pair < PAIRS; pair++) {
    const worked = time(work);
    const floored = time(floor);
    if (pair < 0) continue;
    works.push(worked);
    floors.push(floored);
  }
  return { value: median(works), reference: median(floors) };
}

/**
 * Reading and writing a file of 100 MB against the floor, a plain copy of the same bytes into a new array.
 * Reading an aligned file makes views, so that its ratio is far below 1; a misaligned one copies every tensor.
 *
 * @returns {{name: string, value: number, unit: "ms", reference: number, ratio: number}[]}
 */
export function run() {
  const tensors = new Map();
  for (let i = 0; i < TENSORS; i++) {
    const data = new Float32Array(ELEMENTS).fill(i + 0.5);
    tensors.set(`layer.${i}.weight`, { dtype: "F32", shape: [500, 500], data });
  }
  const file = writeSafetensors(tensors);
  const misaligned = new Uint8Array(file.length + 1).subarray(1);
  misaligned.set(file);
  let kept; // holds each result, so that no work is optimised away
  const copy = () => {
    kept = new Uint8Array(file.length);
    kept.set(file);
  };
  const rows = [
    ["safetensors: read 100 MB, aligned (views)", () => (kept = readSafetensors(file))],
    ["safetensors: read 100 MB, misaligned (copies)", () => (kept = readSafetensors(misaligned))],
    ["safetensors: write 100 MB", () => (kept = writeSafetensors(tensors))],
  ].map(([name, work]) => {
    const { value, reference } = compare(work, copy);
    return { name, value, unit: "ms", reference, ratio: value / reference };
  });
  if (!kept) throw new Error("bench: nothing was measured");
  return rows;
}
