/** `activation(a b + bias)` by the companion module, for any batch, each matrix transposed on request. */
import { broadcast_util } from "@tensorflow/tfjs-core";
import { allocate, type BackendWasm, floats, sizeOf, type TensorInfo } from "../heap.js";
import { type Companion, job } from "./companion.js";

/** Activations that the module applies while a result is in the cache, by the numbers of `assembly/activation.ts`. */
export const companionActivations: Readonly<Record<string, number>> = { linear: 0, relu: 1, relu6: 2 };

/** Whether a bias is one number for each column, or none. */
export const isRow = (bias: TensorInfo | undefined, columns: number): boolean =>
  bias === undefined ||
  (bias.shape.at(-1) === columns && sizeOf(bias.shape) === columns && bias.dtype === "float32");

const ROWS_OF_TASK = 96;
const COLUMNS_OF_TASK = 128;
/** As in `assembly/matrix-product.ts`. */
const K_BLOCK = 512;

/** A tile, and six pointers for every four rows of a task, or, transposed, a block of the rows themselves. */
const scratchOf = (transposeA: boolean, k: number) =>
  208 + (transposeA ? (ROWS_OF_TASK + 4) * Math.min(k, K_BLOCK) * 4 : 24 * (ROWS_OF_TASK / 4 + 1));

/** For each matrix of the result, the index of the matrix of an input, whose batch is broadcast. */
function matrixIndices(batch: readonly number[], own: readonly number[]): number[] {
  const strides: number[] = new Array(batch.length).fill(0);
  for (let i = own.length - 1, j = batch.length - 1, step = 1; i >= 0; i--, j--) {
    strides[j] = own[i] === 1 ? 0 : step;
    step *= own[i]!;
  }
  return Array.from({ length: sizeOf(batch) }, (_, flat) => {
    let index = 0;
    for (let j = batch.length - 1, rest = flat; j >= 0; j--) {
      index += (rest % batch[j]!) * strides[j]!;
      rest = Math.floor(rest / batch[j]!);
    }
    return index;
  });
}

export interface MultiplyOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** One number for each column, on the heap. */
  readonly bias?: TensorInfo | undefined;
  readonly activation?: number;
}

/** Of how many rows on packing the second matrix pays: fewer read it where it is. */
const PACK_FROM = 24;

/** @param a `[..., m, k]`, @param b `[..., k, n]`, float32; the caller releases the result `[..., m, n]`. */
export function multiply(
  backend: BackendWasm,
  companion: Companion,
  a: TensorInfo,
  b: TensorInfo,
  { transposeA = false, transposeB = false, bias, activation = 0 }: MultiplyOptions = {},
): TensorInfo {
  const aBatch = a.shape.slice(0, -2);
  const bBatch = b.shape.slice(0, -2);
  const batchShape = broadcast_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const k = transposeA ? aRows : aColumns;
  const n = b.shape.at(transposeB ? -2 : -1)!;
  const out = allocate(backend, [...batchShape, transposeA ? aColumns : aRows, n]);
  if (sizeOf(out.shape) === 0) return out;
  if (k === 0) {
    floats(backend, out).fill(0);
    if (bias === undefined && activation === 0) return out;
  }
  // One second matrix for all: the batch of the first is just more rows.
  const flat = !transposeA && sizeOf(bBatch) === 1;
  const m = flat ? sizeOf(aBatch) * aRows : transposeA ? aColumns : aRows;
  const aIndices = flat ? [0] : matrixIndices(batchShape, aBatch);
  const bIndices = flat ? [0] : matrixIndices(batchShape, bBatch);
  const batch = aIndices.length;
  const packs = transposeB || m >= PACK_FROM;
  const matrices = sizeOf(bBatch);
  const packedBytes = packs ? matrices * Math.ceil(n / 8) * k * 32 : 0;
  const rowTasks = Math.ceil(m / ROWS_OF_TASK);
  const columnTasks = Math.ceil(n / COLUMNS_OF_TASK);
  const recordBytes = 96;
  const listBytes = 16 * batch + 8 * matrices;
  const scratchBytes = Math.ceil(scratchOf(transposeA, k) / 16) * 16;
  const memory = companion.allocate(
    recordBytes + listBytes + scratchBytes * companion.threads + packedBytes + 16,
  );
  const offsets = memory + recordBytes;
  const packOffsets = offsets + 16 * batch;
  const scratch = offsets + listBytes;
  const packed = Math.ceil((scratch + scratchBytes * companion.threads) / 16) * 16;
  const panelBytes = packedBytes / matrices;
  companion.write(
    offsets,
    aIndices.flatMap((index, i) => [
      index * m * k * 4,
      bIndices[i]! * k * n * 4,
      i * m * n * 4,
      bIndices[i]! * panelBytes,
    ]),
  );
  companion.write(
    packOffsets,
    Array.from({ length: matrices }, (_, i) => [i * k * n * 4, i * panelBytes]).flat(),
  );
  companion.write(memory, [
    m,
    n,
    k,
    backend.getMemoryOffset(a.dataId),
    transposeA ? 4 : k * 4,
    transposeA ? m * 4 : 4,
    backend.getMemoryOffset(b.dataId),
    transposeB ? 4 : n * 4,
    transposeB ? k * 4 : 4,
    backend.getMemoryOffset(out.dataId),
    n * 4,
    offsets,
    bias === undefined ? 0 : backend.getMemoryOffset(bias.dataId),
    activation,
    packs ? packed : 0,
    batch,
    ROWS_OF_TASK,
    COLUMNS_OF_TASK,
    rowTasks,
    columnTasks,
    packOffsets,
  ]);
  if (packs) companion.run(job.pack, memory, matrices * Math.ceil(n / 8), scratch, scratchBytes);
  companion.run(job.product, memory, batch * rowTasks * columnTasks, scratch, scratchBytes);
  companion.free(memory);
  return out;
}
