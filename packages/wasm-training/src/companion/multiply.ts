/** `activation(a b + bias)` by the companion module, for any batch, each matrix transposed on request. */
import { broadcast_util } from "@tensorflow/tfjs-core";
import { allocate, type BackendWasm, floats, sizeOf, type TensorInfo } from "../heap.js";
import { type Companion, job } from "./companion.js";
import { align, withMemory } from "./with-memory.js";

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

/** Of how many rows on packing the second matrix pays: fewer read it where it is. */
const PACK_FROM = 24;

export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Addresses. */
  readonly a: number;
  readonly b: number;
  readonly out: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** The address of one number for each column; 0: none. */
  readonly bias?: number;
  readonly activation?: number;
  /** For each matrix of the result, which one of `a` and of `b` it is the product of. */
  readonly aIndices?: readonly number[];
  readonly bIndices?: readonly number[];
}

const RECORD_BYTES = 96;
const first = [0];

/** `out = activation(a b + bias)` of matrices that stand side by side in memory. */
export function multiplyAt(companion: Companion, product: Product): void {
  const { m, n, k, a, b, out, transposeA = false, transposeB = false } = product;
  const { bias = 0, activation = 0, aIndices = first, bIndices = first } = product;
  const batch = aIndices.length;
  const packs = transposeB || m >= PACK_FROM;
  const matrices = bIndices.reduce((most, index) => Math.max(most, index), 0) + 1;
  const panelBytes = packs ? Math.ceil(n / 8) * k * 32 : 0;
  const rowTasks = Math.ceil(m / ROWS_OF_TASK);
  const columnTasks = Math.ceil(n / COLUMNS_OF_TASK);
  const scratchBytes = align(scratchOf(transposeA, k));
  const bytes = [
    RECORD_BYTES,
    16 * batch,
    8 * matrices,
    scratchBytes * companion.threads,
    matrices * panelBytes,
  ];
  withMemory(companion, bytes, (at, offsets, packOffsets, scratch, packed) => {
    companion.write(
      offsets!,
      aIndices.flatMap((index, i) => [
        index * m * k * 4,
        bIndices[i]! * k * n * 4,
        i * m * n * 4,
        bIndices[i]! * panelBytes,
      ]),
    );
    companion.write(
      packOffsets!,
      Array.from({ length: matrices }, (_, i) => [i * k * n * 4, i * panelBytes]).flat(),
    );
    companion.write(at!, [
      ...[m, n, k],
      ...[a, transposeA ? 4 : k * 4, transposeA ? m * 4 : 4],
      ...[b, transposeB ? 4 : n * 4, transposeB ? k * 4 : 4],
      ...[out, n * 4, offsets!, bias, activation, packs ? packed! : 0],
      ...[batch, ROWS_OF_TASK, COLUMNS_OF_TASK, rowTasks, columnTasks, packOffsets!],
    ]);
    if (packs) companion.run(job.pack, at!, matrices * Math.ceil(n / 8), scratch!, scratchBytes);
    companion.run(job.product, at!, batch * rowTasks * columnTasks, scratch!, scratchBytes);
  });
}

export interface MultiplyOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** One number for each column, on the heap. */
  readonly bias?: TensorInfo | undefined;
  readonly activation?: number;
}

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
  multiplyAt(companion, {
    m: flat ? sizeOf(aBatch) * aRows : transposeA ? aColumns : aRows,
    n,
    k,
    a: backend.getMemoryOffset(a.dataId),
    b: backend.getMemoryOffset(b.dataId),
    out: backend.getMemoryOffset(out.dataId),
    transposeA,
    transposeB,
    bias: bias === undefined ? 0 : backend.getMemoryOffset(bias.dataId),
    activation,
    ...(flat
      ? {}
      : { aIndices: matrixIndices(batchShape, aBatch), bIndices: matrixIndices(batchShape, bBatch) }),
  });
  return out;
}
