import type { LayerGraph } from "@gradlab/receptive-field";
import type { RawTensor } from "@gradlab/safetensors";
import {
  dict,
  type Part,
  pickle,
  storage,
  tensor,
  text,
  zipFile,
} from "../../torch-files/test/pickle-bytes.js";
import { torchEntries } from "../src/weights/torch-entries.js";
import { closedFormUnit } from "./closed-form-weights.js";

/*
 * PyTorch's state_dict of a network with weights in closed form, as `scripts/golden/closed_form_weights.py` makes it:
 * in PyTorch's own layout, so that nothing here is a transposition. The names and shapes are those of `torchEntries`,
 * which a test compares with torchvision's.
 */
export function closedFormState(graph: LayerGraph): Map<string, RawTensor> {
  const state = new Map<string, RawTensor>();
  let t = 0;
  for (const { name, shape, record } of torchEntries(graph, "closedFormState")) {
    if (record === null) {
      state.set(name, { dtype: "I64", shape: [], data: new BigInt64Array([3n]) });
      continue;
    }
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const [center, spread] = rangeOf(name, shape);
    for (let i = 0; i < data.length; i++) data[i] = center + spread * closedFormUnit(i, t);
    state.set(name, { dtype: "F32", shape, data });
    t++;
  }
  return state;
}

function rangeOf(name: string, [, ...rest]: readonly number[]): [center: number, spread: number] {
  if (rest.length > 0) return [0, Math.sqrt(6 / rest.reduce((a, b) => a * b, 1))];
  if (name.endsWith("running_var")) return [1.25, 0.75];
  return name.endsWith("weight") ? [1, 0.2] : [0, 0.1];
}

const storageTypes: Readonly<Record<string, string>> = { F32: "FloatStorage", I64: "LongStorage" };

/** A file as torch.save writes it, of tensors that are contiguous. */
export function torchFile(state: ReadonlyMap<string, RawTensor>): Uint8Array {
  const storages: Record<string, Uint8Array> = {};
  const entries = [...state].map(([name, { dtype, shape, data }], key): [Part, Part] => {
    storages[key] = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    return [text(name), tensor(storage(`${key}`, data.length, storageTypes[dtype]!), shape, strides)];
  });
  return zipFile(pickle(dict(...entries)), storages);
}
