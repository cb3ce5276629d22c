import { type RawTensor, readSafetensors } from "@gradlab/safetensors";
import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import { expectShape } from "../expect-shape.js";
import { expectSameParams } from "../params/expect-same-params.js";
import { flattenParams } from "../params/flatten-params.js";
import { mapParams } from "../params/map-params.js";
import type { Params, ParamsOf } from "../params/params.js";
import { unflattenParams } from "../params/unflatten-params.js";
import { FORMAT_VERSION, METADATA_KEY, OPTIMIZER_PREFIX, PARAMS_PREFIX } from "./checkpoint-format.js";
import { type FullOptimizerConfig, fullConfig } from "./optimizer-config.js";
import { restoreSlots, slotFields } from "./optimizer-slots.js";
import { type JsonValue, type Training, trainedVariables, trainingOf } from "./training.js";

/**
 * The training that `saveCheckpoint` wrote.
 *
 * @param bytes The whole file; not kept, so that changing it later changes nothing.
 * @param like The parameters that the model expects, such as those of its `init`: they are compared with those of the
 *   file, and give the result its type. Borrowed. Without it the paths of the file make the record.
 * @returns The caller gives it to `disposeTraining` in the end.
 * @throws {SafetensorsError} when the bytes are no safetensors file: cut off, for one.
 * @throws {RangeError} when the file is no checkpoint, or contradicts itself; the message names the entry.
 * @throws {ShapeError | RangeError} when the parameters are not like `like`; the message names the path.
 */
export function loadCheckpoint(bytes: Uint8Array): Training<Params>;
export function loadCheckpoint<P extends ParamsOf<P>>(bytes: Uint8Array, like: P): Training<P>;
export function loadCheckpoint<P extends ParamsOf<P>>(bytes: Uint8Array, like?: P): Training<P | Params> {
  const { tensors: raw, metadata } = readSafetensors(bytes);
  const state = parseState(metadata.get(METADATA_KEY));
  const held = new Map<string, Tensor>();
  try {
    for (const [name, entry] of raw) held.set(name, tensorOf(name, entry));
    const found = unflattenParams(startingWith(PARAMS_PREFIX, held));
    const slots = new Map(startingWith(OPTIMIZER_PREFIX, held));
    expectNothingElse(held);
    expectSlots(found, slots, state);
    if (like === undefined) return restore(found, slots, state);
    expectSameParams("loadCheckpoint", found, like);
    return restore(
      mapParams(like, (_, path) => held.get(`${PARAMS_PREFIX}${path}`)!),
      slots,
      state,
    );
  } finally {
    for (const tensor of held.values()) tensor.dispose();
  }
}

interface State {
  readonly step: number;
  /** The paths of the float32 tensors that are not trained. */
  readonly frozen: ReadonlySet<string>;
  readonly config: FullOptimizerConfig;
  readonly extra: JsonValue;
}

function restore<P extends ParamsOf<P>>(
  params: P,
  slots: ReadonlyMap<string, Tensor>,
  { step, config, frozen, extra }: State,
): Training<P> {
  const training = trainingOf("loadCheckpoint", params, config, (path) => !frozen.has(path));
  const paths = trainedVariables(training).map(([path]) => path);
  restoreSlots(training.optimizer, config, paths, slots);
  return Object.assign(training, { step, extra });
}

function parseState(text: string | undefined): State {
  const where = `loadCheckpoint: metadata "${METADATA_KEY}"`;
  if (text === undefined) throw new RangeError(`${where}: expected the state of a training, got none`);
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {
    throw new RangeError(`${where}: expected JSON, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  if (typeof state !== "object" || state === null || Array.isArray(state)) {
    throw new RangeError(`${where}: expected an object, got ${JSON.stringify(state).slice(0, 40)}`);
  }
  const { version, step, optimizer, frozen, extra = null } = state as Record<string, unknown>;
  if (version !== FORMAT_VERSION) {
    throw new RangeError(`${where}: version: expected ${FORMAT_VERSION}, got ${JSON.stringify(version)}`);
  }
  if (!Number.isSafeInteger(step) || (step as number) < 0) {
    throw new RangeError(`${where}: step: expected an integer, at least 0, got ${JSON.stringify(step)}`);
  }
  if (!Array.isArray(frozen) || !frozen.every((path) => typeof path === "string")) {
    throw new RangeError(`${where}: frozen: expected a list of paths, got ${JSON.stringify(frozen)}`);
  }
  return {
    step: step as number,
    config: configOf(where, optimizer),
    frozen: new Set(frozen),
    extra: extra as JsonValue,
  };
}

/** The configuration; the bytes are at fault when it is wrong, so every error is a `RangeError`. */
function configOf(where: string, config: unknown): FullOptimizerConfig {
  try {
    return fullConfig(`${where}: optimizer`, config);
  } catch (error) {
    throw new RangeError((error as Error).message);
  }
}

function tensorOf(name: string, { dtype, shape, data }: RawTensor): Tensor {
  switch (dtype) {
    case "F32":
      return tensor((data as Float32Array).slice(), [...shape], "float32");
    case "I32":
      return tensor((data as Int32Array).slice(), [...shape], "int32");
    case "BOOL":
      return tensor((data as Uint8Array).slice(), [...shape], "bool");
    default:
      throw new RangeError(`loadCheckpoint: ${name}: expected F32, I32 or BOOL, got ${dtype}`);
  }
}

function startingWith(prefix: string, tensors: ReadonlyMap<string, Tensor>): [string, Tensor][] {
  return [...tensors].flatMap(([name, tensor]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
  );
}

function expectNothingElse(tensors: ReadonlyMap<string, Tensor>): void {
  for (const name of tensors.keys()) {
    if (!name.startsWith(PARAMS_PREFIX) && !name.startsWith(OPTIMIZER_PREFIX)) {
      throw new RangeError(
        `loadCheckpoint: ${name}: expected a name that begins with ${PARAMS_PREFIX} or ${OPTIMIZER_PREFIX}`,
      );
    }
  }
}

/** All scalars, and one slot of its shape for each trained tensor, or none at all before the first update. */
function expectSlots(
  params: Params,
  slots: ReadonlyMap<string, Tensor>,
  { config, step, frozen }: State,
): void {
  const fields = slotFields(config);
  const expected = new Map(
    Object.keys(fields.scalars).map((name): [string, readonly number[]] => [name, []]),
  );
  if (step > 0) {
    for (const [path, { dtype, shape }] of flattenParams(params)) {
      if (dtype !== "float32" || frozen.has(path)) continue;
      for (const name of Object.keys(fields.perTensor)) expected.set(`${name}.${path}`, shape);
    }
  }
  for (const [name, shape] of expected) {
    const slot = slots.get(name);
    const where = `loadCheckpoint: ${OPTIMIZER_PREFIX}${name}`;
    if (slot === undefined)
      throw new RangeError(`${where}: expected a tensor [${shape.join(", ")}], got none`);
    expectShape(where, slot, shape);
    if (slot.dtype !== "float32") throw new RangeError(`${where}: expected float32, got ${slot.dtype}`);
  }
  for (const name of slots.keys()) {
    if (!expected.has(name)) {
      throw new RangeError(
        `loadCheckpoint: ${OPTIMIZER_PREFIX}${name}: expected no such tensor for ${config.name}`,
      );
    }
  }
}
