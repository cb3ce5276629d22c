import { type RawTensor, writeSafetensors } from "@gradlab/safetensors";
import type { Tensor } from "@tensorflow/tfjs-core";
import { typeMismatch } from "../expect-argument.js";
import { entriesOf } from "../params/params.js";
import { breather } from "./breather.js";
import {
  AVERAGE_PREFIX,
  FORMAT_VERSION,
  METADATA_KEY,
  OPTIMIZER_PREFIX,
  STATE_PREFIX,
} from "./checkpoint-format.js";
import { averageEntries, slotEntries, type Training } from "./training.js";

/**
 * All of a training as the bytes of a safetensors file: weights, the optimizer's memory, step, configuration and `extra`.
 * `loadCheckpoint` goes on from it as if nothing had happened, bit for bit where the backend computes the same bits
 * twice (cpu and wasm do). The same training gives the same bytes.
 *
 * What is saved is the moment of the call, whatever happens to the training before the promise is kept.
 *
 * @returns Bytes to store: under another name first, then renamed, so that a crash leaves the old file.
 * @throws {TypeError} when `extra` is not what JSON can hold.
 */
export async function saveCheckpoint<S>(training: Training<S>): Promise<Uint8Array<ArrayBuffer>> {
  const { config, trained, counts, step, extra } = training;
  expectJson("saveCheckpoint: extra", extra);
  const behind = Object.entries(counts).filter(([, count]) => count !== step);
  const note = JSON.stringify({
    version: FORMAT_VERSION,
    step,
    optimizer: config,
    trained,
    counts: Object.fromEntries(behind),
    average: training.averaging,
    plateau: training.plateau,
    extra,
  });
  const breathe = breather();
  const held = [
    ...entriesOf("saveCheckpoint: state", training.state).map(
      ([path, tensor]) => [`${STATE_PREFIX}${path}`, tensor.clone()] as const,
    ),
    ...slotEntries(training).map(
      ([slot, path, tensor]) => [`${OPTIMIZER_PREFIX}${slot}.${path}`, tensor.clone()] as const,
    ),
    ...averageEntries(training).map(
      ([path, tensor]) => [`${AVERAGE_PREFIX}${path}`, tensor.clone()] as const,
    ),
  ];
  try {
    const tensors = new Map<string, RawTensor>();
    for (const [name, tensor] of held) {
      await breathe();
      tensors.set(name, await rawTensor(name, tensor));
    }
    return writeSafetensors(tensors, { metadata: { [METADATA_KEY]: note } });
  } finally {
    for (const [, tensor] of held) tensor.dispose();
  }
}

async function rawTensor(name: string, tensor: Tensor): Promise<RawTensor> {
  const { shape } = tensor;
  const data = await tensor.data();
  switch (tensor.dtype) {
    case "float32":
      return { dtype: "F32", shape, data: data as Float32Array<ArrayBuffer> };
    case "int32":
      return { dtype: "I32", shape, data: data as Int32Array<ArrayBuffer> };
    case "bool":
      return { dtype: "BOOL", shape, data: data as Uint8Array<ArrayBuffer> };
    default:
      throw typeMismatch(`saveCheckpoint: ${name}`, "float32, int32 or bool", tensor.dtype);
  }
}

/** Refuses what `JSON.stringify` would change or leave out without a word. */
function expectJson(where: string, value: unknown): void {
  if (value === null || typeof value === "boolean" || typeof value === "string") return;
  if (typeof value === "number" && Number.isFinite(value) && !Object.is(value, -0)) return;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) expectJson(`${where}[${i}]`, item);
  } else if (
    typeof value === "object" &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    for (const [name, item] of Object.entries(value)) expectJson(`${where}.${name}`, item);
  } else {
    const got = Object.is(value, -0) ? "-0" : value;
    throw typeMismatch(where, "plain JSON (numbers finite, none -0)", got);
  }
}
