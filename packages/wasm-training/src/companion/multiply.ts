/** `activation(a b + bias)` by the companion module, for any batch, each matrix transposed on request. */
import { broadcast_util } from "@tensorflow/tfjs-core";
import { costs } from "../costs.js";
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

/**
 * A tile, a panel that is packed where it is used, and six pointers for every four rows of a task, or, transposed, a
 * block of the rows themselves.
 */
const scratchOf = (transposeA: boolean, packsPanels: boolean, k: number) =>
  208 +
  (packsPanels ? K_BLOCK * 32 : 0) +
  (transposeA ? (ROWS_OF_TASK + 4) * Math.min(k, K_BLOCK) * 4 : 24 * (ROWS_OF_TASK / 4 + 1));

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

/** As in `assembly/matrix-product.ts`: columns and rows of a task, whose sums are its scratch. */
const THIN = { columns: 256, rows: 4, bytes: 4 * 256 * 4 + 16 };

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
  const packs = m >= costs.companion.packFrom;
  const isThin = m <= costs.companion.thinUpTo && !transposeA && !transposeB;
  const matrices = bIndices.reduce((most, index) => Math.max(most, index), 0) + 1;
  const panelBytes = packs ? Math.ceil(n / 8) * k * 32 : 0;
  // A transposed first matrix is packed by every task that has some of its rows.
  const columnsOfTask = transposeA && m > 4 * ROWS_OF_TASK ? 4 * COLUMNS_OF_TASK : COLUMNS_OF_TASK;
  const rowTasks = Math.ceil(m / (isThin ? THIN.rows : ROWS_OF_TASK));
  const columnTasks = Math.ceil(n / (isThin ? THIN.columns : columnsOfTask));
  const scratchBytes = align(isThin ? THIN.bytes : scratchOf(transposeA, transposeB && !packs, k));
  const listed = 4 * batch + 2 * matrices;
  const bytes = [RECORD_BYTES + 4 * listed, scratchBytes * companion.threads, matrices * panelBytes];
  withMemory(companion, bytes, (at, scratch, packed) => {
    const offsets = at! + RECORD_BYTES;
    const words = new Uint32Array(RECORD_BYTES / 4 + listed);
    words.set([m, n, k, a, transposeA ? 4 : k * 4, transposeA ? m * 4 : 4]);
    words.set([b, transposeB ? 4 : n * 4, transposeB ? k * 4 : 4, out, n * 4, offsets], 6);
    words.set([bias, activation, packs ? packed! : 0, batch, ROWS_OF_TASK, columnsOfTask], 12);
    words.set([rowTasks, columnTasks, offsets + 16 * batch], 18);
    let next = RECORD_BYTES / 4;
    for (let i = 0; i < batch; i++) {
      words[next++] = aIndices[i]! * m * k * 4;
      words[next++] = bIndices[i]! * k * n * 4;
      words[next++] = i * m * n * 4;
      words[next++] = bIndices[i]! * panelBytes;
    }
    for (let i = 0; i < matrices; i++) {
      words[next++] = i * k * n * 4;
      words[next++] = i * panelBytes;
    }
    companion.write(at!, words);
    if (packs)
      companion.run(
        job.pack,
        at!,
        matrices * Math.ceil(n / 8),
        scratch!,
        scratchBytes,
        matrices * n * k * costs.companion.pack,
      );
    companion.run(
      isThin ? job.thin : job.product,
      at!,
      batch * rowTasks * columnTasks,
      scratch!,
      scratchBytes,
    );
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
