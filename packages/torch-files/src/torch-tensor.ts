import { type Dtype, decodeTensor, type RawTensor, SafetensorsError } from "@gradlab/safetensors";
import { kindOf, PickleObject, type PickleValue } from "./pickle-values.js";
import { quote } from "./show.js";
import { TorchFileError } from "./torch-file-error.js";

/** PyTorch's typed storages (`torch.FloatStorage`) and dtypes (`torch.float32`), and the bytes of an element. */
const elementTypes: readonly (readonly [storage: string, dtypeName: string, dtype: Dtype, size: number])[] = [
  ["DoubleStorage", "float64", "F64", 8],
  ["FloatStorage", "float32", "F32", 4],
  ["HalfStorage", "float16", "F16", 2],
  ["BFloat16Storage", "bfloat16", "BF16", 2],
  ["LongStorage", "int64", "I64", 8],
  ["IntStorage", "int32", "I32", 4],
  ["ShortStorage", "int16", "I16", 2],
  ["CharStorage", "int8", "I8", 1],
  ["ByteStorage", "uint8", "U8", 1],
  ["BoolStorage", "bool", "BOOL", 1],
];

/** Storages of elements that are no numbers here; their tensors are left out by name. */
const foreignTypes = [
  ["ComplexDoubleStorage", "complex128", 16],
  ["ComplexFloatStorage", "complex64", 8],
  ["QInt32Storage", "qint32", 4],
  ["QInt8Storage", "qint8", 1],
  ["QUInt8Storage", "quint8", 1],
  ["QUInt4x2Storage", "quint4x2", 1],
  ["QUInt2x4Storage", "quint2x4", 1],
] as const;

type ForeignDtype = (typeof foreignTypes)[number][1];

const sizes = new Map<Dtype | ForeignDtype, number>([
  ...elementTypes.map(([, , dtype, size]) => [dtype, size] as const),
  ...foreignTypes.map(([, dtype, size]) => [dtype, size] as const),
]);

/** The dtype of a storage class, tensors of which were on the CPU or a GPU. */
export const storageDtypes: ReadonlyMap<string, Dtype | ForeignDtype> = new Map(
  [
    ...elementTypes.map(([storage, , dtype]) => [storage, dtype] as const),
    ...foreignTypes.map(([storage, dtype]) => [storage, dtype] as const),
  ].flatMap(([storage, dtype]) =>
    ["torch", "torch.cuda"].map((module) => [`${module}.${storage}`, dtype] as const),
  ),
);

/** The names of PyTorch's dtypes, as values. */
export const dtypeNames: ReadonlySet<string> = new Set(
  [
    ...elementTypes.map(([, name]) => name),
    ...foreignTypes.map(([, name]) => name),
    ...[
      "complex32",
      "uint16",
      "uint32",
      "uint64",
      "float8_e4m3fn",
      "float8_e5m2",
      "float8_e4m3fnuz",
      "float8_e5m2fnuz",
    ],
  ].map((name) => `torch.${name}`),
);

/** The most axes of a tensor, as in PyTorch. */
const MOST_AXES = 64;

/** A piece of memory that tensors look into; where its bytes are is known to the container. */
export class TorchStorage extends PickleObject {
  readonly kind = "a storage";
  readonly key: string;
  readonly dtype: Dtype | ForeignDtype;
  /** In elements. */
  readonly length: number;
  /** The first of those elements in the bytes under `key`, where old files keep views. */
  readonly start: number;

  constructor(key: string, dtype: Dtype | ForeignDtype, length: number, start = 0) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.length = length;
    this.start = start;
  }

  get elementSize(): number {
    return sizes.get(this.dtype)!;
  }
}

const foreignDtypes: ReadonlySet<string> = new Set(foreignTypes.map(([, dtype]) => dtype));

/** A tensor as the pickle gives it: a look into a storage, not yet checked. */
export class TorchTensor extends PickleObject {
  readonly kind: string;
  readonly storage: TorchStorage;
  readonly offset: PickleValue;
  readonly size: PickleValue;
  readonly stride: PickleValue;

  constructor(storage: TorchStorage, offset: PickleValue, size: PickleValue, stride: PickleValue) {
    super();
    this.kind = foreignDtypes.has(storage.dtype) ? `a tensor of ${storage.dtype}` : "a tensor";
    this.storage = storage;
    this.offset = offset;
    this.size = size;
    this.stride = stride;
  }

  /** Its elements are numbers of a dtype that is read. */
  get isReadable(): boolean {
    return !foreignDtypes.has(this.storage.dtype);
  }
}

/** A tensor whose elements are known to lie in its storage. */
export interface PlacedTensor {
  readonly name: string;
  readonly storage: TorchStorage;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly byteLength: number;
}

const isIndex = (value: PickleValue): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

function indices(where: string, value: PickleValue): readonly number[] {
  if (Array.isArray(value) && value.length <= MOST_AXES && value.every(isIndex)) return value;
  throw new TorchFileError(
    `${where}: expected at most ${MOST_AXES} integers, none negative, got ${list(value)}`,
  );
}

function list(value: PickleValue): string {
  if (!Array.isArray(value)) return kindOf(value);
  return `[${value.slice(0, 8).map(kindOf).join(", ")}${value.length > 8 ? ", …" : ""}]`;
}

/** Checks that every element of a readable tensor lies in its storage, before anything is made of it. */
export function placeTensor(name: string, { storage, offset, size, stride }: TorchTensor): PlacedTensor {
  const where = `readTorch: tensor ${quote(name)}`;
  const shape = indices(`${where}: shape`, size);
  const steps = indices(`${where}: stride`, stride);
  if (steps.length !== shape.length) {
    throw new TorchFileError(`${where}: stride: expected ${shape.length} integers, got ${list(stride)}`);
  }
  if (!isIndex(offset)) {
    throw new TorchFileError(`${where}: offset: expected an integer, at least 0, got ${kindOf(offset)}`);
  }
  // A zero makes a tensor empty, but no excuse for the other sizes.
  const product = shape.reduce((all, n) => (n === 0 ? all : all * n), 1);
  if (product > Number.MAX_SAFE_INTEGER) {
    throw new TorchFileError(`${where}: shape: expected fewer than 2^53 elements, got ${list(size)}`);
  }
  const empty = shape.includes(0);
  const last = shape.reduce((sum, n, axis) => sum + (n - 1) * steps[axis]!, offset);
  if (!empty && !(last < storage.length)) {
    const got = `element ${last} (shape ${list(size)}, stride ${list(stride)}, offset ${offset})`;
    throw new TorchFileError(`${where}: expected elements of a storage of ${storage.length}, got ${got}`);
  }
  const byteLength = empty ? 0 : product * storage.elementSize;
  const dtype = storage.dtype as Dtype;
  return { name, storage, dtype, offset: empty ? 0 : offset, shape, stride: steps, byteLength };
}

/**
 * The elements of a tensor in row-major order: a view of the storage where they lie so, a copy where not.
 *
 * @param bytes Those of the storage, at a multiple of the size of an element in memory.
 */
export function rawTensor(
  { name, storage, dtype, offset, shape, stride, byteLength }: PlacedTensor,
  bytes: Uint8Array,
): RawTensor {
  const { elementSize } = storage;
  const begin = (storage.start + offset) * elementSize;
  const own = isRowMajor(shape, stride)
    ? bytes.subarray(begin, begin + byteLength)
    : gather(bytes, begin, elementSize, shape, stride, byteLength);
  try {
    return decodeTensor(own, { name, dtype, shape, byteOffset: 0, byteLength });
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new TorchFileError(error.message.replace("decodeTensor", "readTorch"));
  }
}

/** Whether the elements follow each other; the step along an axis of one element plays no part. */
function isRowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== step) return shape.includes(0);
    step *= shape[axis]!;
  }
  return true;
}

function gather(
  bytes: Uint8Array,
  begin: number,
  elementSize: number,
  shape: readonly number[],
  stride: readonly number[],
  byteLength: number,
): Uint8Array {
  const gathered = new Uint8Array(byteLength);
  const index = shape.map(() => 0);
  let from = begin;
  for (let to = 0; to < byteLength; to += elementSize) {
    for (let i = 0; i < elementSize; i++) gathered[to + i] = bytes[from + i]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += stride[axis]! * elementSize;
      if (++index[axis]! < shape[axis]!) break;
      from -= index[axis]! * stride[axis]! * elementSize;
      index[axis] = 0;
    }
  }
  return gathered;
}
