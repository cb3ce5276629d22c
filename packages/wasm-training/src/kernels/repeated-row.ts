import { allocate, floats, release, sizeOf, type TensorInfo } from "../heap.js";
import { type KernelArguments, kernelOver } from "../kernel.js";
import { plainBinary } from "./elementwise.js";

/** Elements of a row that is long enough for the stock kernel. */
const rowElements = 2048;

/** Whether `small` is one row of `large`, that is its last axes without those of size 1 before them. */
function isRowOf(small: TensorInfo, large: TensorInfo): boolean {
  const start = small.shape.findIndex((n) => n !== 1);
  if (start < 0) return false;
  const row = small.shape.slice(start);
  const from = large.shape.length - row.length;
  return (
    from > 0 && small.shape.length <= large.shape.length && row.every((n, i) => n === large.shape[from + i])
  );
}

/** The largest divisor of `n` up to `most`. */
function divisorUpTo(n: number, most: number): number {
  let divisor = Math.min(n, most);
  while (n % divisor !== 0) divisor--;
  return divisor;
}

/**
 * A short row (a bias, the statistics of channels) against many rows. The stock kernels begin anew
 * for each row, which costs more than the row; with the short row repeated, rows are long.
 */
const withRepeatedRow = (kernelName: string) =>
  kernelOver(kernelName, ({ inputs, backend, attrs }: KernelArguments, stock) => {
    const [a, b] = [inputs.a!, inputs.b!];
    const plain = plainBinary(kernelName, { a, b }, backend);
    if (plain) return plain;
    const isSecond = isRowOf(b, a);
    const [large, small] = isSecond ? [a, b] : [b, a];
    if (!(isSecond || isRowOf(a, b))) return stock({ inputs, backend, attrs });
    const length = sizeOf(small.shape);
    const rows = sizeOf(large.shape) / length;
    const times = divisorUpTo(rows, Math.max(1, Math.floor(rowElements / length)));
    if (times < 4 || rows < 4 * times) return stock({ inputs, backend, attrs });
    const repeated = allocate(backend, [times * length]);
    const row = floats(backend, small);
    const to = floats(backend, repeated);
    for (let i = 0; i < to.length; i += length) to.set(row, i);
    const wide = { ...large, shape: [rows / times, times * length] };
    const pair = isSecond ? { a: wide, b: repeated } : { a: repeated, b: wide };
    const out = stock({ inputs: pair, backend, attrs }) as TensorInfo;
    release(backend, repeated);
    return { ...out, shape: large.shape };
  });

export const repeatedRowKernels = () => ["Add", "Sub", "Multiply"].map(withRepeatedRow);
