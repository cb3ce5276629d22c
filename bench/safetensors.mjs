import { readSafetensors, writeSafetensors } from "@gradlab/safetensors";
import { interleaved } from "./interleaved.mjs";

const TENSORS = 100;
const ELEMENTS = 250_000; // of 4 bytes: 100 MB in all

/**
 * Reading and writing a file of 100 MB against the floor, a plain copy of the same bytes into a new array.
 * Reading an aligned file makes views, so that its ratio is far below 1; a misaligned one copies every tensor.
 *
 * @returns {{name: string, value: number, unit: "ms", reference: string, ratio: number}[]}
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
    const { ours, ratio } = interleaved(work, copy, { warmups: 1 });
    return { name, value: ours, unit: "ms", reference: "copy of the bytes", ratio };
  });
  if (!kept) throw new Error("bench: nothing was measured");
  return rows;
}
