import { conversionError, conversionRefusal, Fields, isRecord, show } from "../json-fields.js";

/** One weight of a manifest. */
export interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** The dtype of the stored bytes, where the weight is quantized. */
  readonly stored: { readonly dtype: string; readonly scale: number; readonly min: number } | null;
}

const bytesPerNumber: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  complex64: 8,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

/** All weights in the order of their bytes. */
export function weightEntries(model: Fields): WeightEntry[] {
  if (model.get("weights_manifest") === undefined) return [];
  return model.list("weights_manifest").flatMap((json, index) => {
    const group = new Fields(json, `${model.where}: weightsManifest[${index}]`);
    return group
      .list("weights")
      .map((weight, place) => weightEntry(weight, `${group.where}.weights[${place}]`));
  });
}

function weightEntry(json: unknown, where: string): WeightEntry {
  const fields = new Fields(json, where);
  const shape = fields.list("shape").map((size) => {
    const known = typeof size === "number" && Number.isSafeInteger(size) && size >= 0;
    return known ? size : fields.fail("shape", "integers", size);
  });
  const quantization = fields.get("quantization") === undefined ? null : fields.fields("quantization");
  const number = (key: string, fallback: number): number => {
    const value = quantization?.get(key) ?? fallback;
    return typeof value === "number" ? value : fields.fail(key, "a number", value);
  };
  return {
    name: fields.text("name"),
    shape,
    dtype: fields.text("dtype"),
    stored: quantization && {
      dtype: quantization.text("dtype"),
      scale: number("scale", 1),
      min: number("min", 0),
    },
  };
}

/** Reads the numbers of single weights out of the concatenated shards. */
export class WeightReader {
  private readonly where: string;
  private readonly entries: ReadonlyMap<string, WeightEntry>;
  private readonly weights: Uint8Array | undefined;
  private offsets: Map<string, number> | null = null;
  private end = 0;

  constructor(model: Fields, weights: Uint8Array | undefined, caller: string) {
    if (weights !== undefined && !(weights instanceof Uint8Array)) {
      throw conversionError(`${caller}: options.weights`, "a Uint8Array of the concatenated shards", weights);
    }
    this.where = caller;
    this.entries = new Map(weightEntries(model).map((entry) => [entry.name, entry]));
    this.weights = weights;
  }

  shapeOf(name: string): readonly number[] | null {
    return this.entries.get(name)?.shape ?? null;
  }

  /** The numbers of a weight; `reader` names who needs them. */
  read(name: string, reader: string): number[] {
    const entry = this.entries.get(name);
    if (entry === undefined)
      throw conversionRefusal(reader, `the constant "${name}" in weightsManifest`, "none");
    const { weights } = this;
    if (weights === undefined) {
      throw conversionRefusal(
        reader,
        `the value of the constant "${name}", which stands in the weight shards (options.weights)`,
        "no weights",
      );
    }
    this.offsets ??= this.findOffsets(weights);
    const dtype = entry.stored?.dtype ?? entry.dtype;
    const view = new DataView(weights.buffer, weights.byteOffset + this.offsets.get(name)!);
    const count = entry.shape.reduce((product, size) => product * size, 1);
    const raw = Array.from({ length: count }, (_, i) => this.numberAt(view, i, dtype, name));
    const { stored } = entry;
    if (stored === null) return raw;
    const values = raw.map((value) => value * stored.scale + stored.min);
    return entry.dtype === "int32" ? values.map(Math.round) : values;
  }

  private numberAt(view: DataView, index: number, dtype: string, name: string): number {
    switch (dtype) {
      case "int32":
        return view.getInt32(4 * index, true);
      case "float32":
        return view.getFloat32(4 * index, true);
      case "uint16":
        return view.getUint16(2 * index, true);
      case "uint8":
      case "bool":
        return view.getUint8(index);
      default:
        throw conversionError(
          `${this.where}: weight "${name}": dtype`,
          "int32, float32, uint8 or uint16",
          dtype,
        );
    }
  }

  /** How many bytes all weights take. */
  length(): number {
    if (this.weights === undefined) return 0;
    this.offsets ??= this.findOffsets(this.weights);
    return this.end;
  }

  private findOffsets(weights: Uint8Array): Map<string, number> {
    const offsets = new Map<string, number>();
    const view = new DataView(weights.buffer, weights.byteOffset, weights.byteLength);
    let offset = 0;
    for (const entry of this.entries.values()) {
      offsets.set(entry.name, offset);
      const count = entry.shape.reduce((product, size) => product * size, 1);
      const dtype = entry.stored?.dtype ?? entry.dtype;
      if (dtype === "string") {
        // Every text is preceded by its length.
        for (let i = 0; i < count && offset + 4 <= weights.length; i++)
          offset += 4 + view.getUint32(offset, true);
      } else {
        const width = Object.hasOwn(bytesPerNumber, dtype) ? bytesPerNumber[dtype] : undefined;
        if (width === undefined)
          throw conversionError(`${this.where}: weight "${entry.name}": dtype`, "a known dtype", dtype);
        offset += count * width;
      }
      if (offset > weights.length) {
        throw conversionRefusal(
          `${this.where}: options.weights`,
          `all shards, at least ${offset} bytes`,
          `${weights.length} bytes`,
        );
      }
    }
    this.end = offset;
    return offsets;
  }
}

/**
 * The files that hold the weights of a tfjs model, in the order in which their
 * bytes are concatenated. Empty where the file names none.
 *
 * @param json A parsed `model.json`.
 * @throws {TypeError} when the manifest is not a list of groups with texts as `paths`.
 */
export function weightShardPaths(json: unknown): string[] {
  const where = "weightShardPaths";
  if (!isRecord(json)) throw conversionError(`${where}: json`, "a parsed model.json", json);
  const model = new Fields(json, where);
  if (model.get("weights_manifest") === undefined) return [];
  return model.list("weights_manifest").flatMap((group, index) => {
    const fields = new Fields(group, `${where}: weightsManifest[${index}]`);
    return fields.list("paths").map((path) => {
      return typeof path === "string" ? path : fields.fail("paths", "file names", show(path));
    });
  });
}
