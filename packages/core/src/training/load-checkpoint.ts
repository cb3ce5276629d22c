import { type RawTensor, readSafetensors } from "@gradlab/safetensors";
import { keep, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { expectShape } from "../expect-shape.js";
import { ruleOf } from "../optimizers/rule-of.js";
import { expectSameParams } from "../params/expect-same-params.js";
import { flattenParams } from "../params/flatten-params.js";
import { mapParams } from "../params/map-params.js";
import type { Params, ParamsOf } from "../params/params.js";
import { unflattenParams } from "../params/unflatten-params.js";
import { AVERAGE_PREFIX, OPTIMIZER_PREFIX, STATE_PREFIX } from "./checkpoint-format.js";
import { type CheckpointNote, parseNote } from "./checkpoint-note.js";
import { trainedPaths } from "./trained-paths.js";
import { averageEntries, slotEntries, type Training, trainingOf } from "./training.js";

/**
 * The training that `saveCheckpoint` wrote.
 *
 * @param bytes The whole file; not kept, so that changing it later changes nothing.
 * @param like The state that the model expects, such as that of its `init`: it is compared with that of the
 *   file, and gives the result its type. Borrowed. Without it the paths of the file make the record.
 * @returns The caller gives it to `disposeTraining` in the end.
 * @throws {SafetensorsError} when the bytes are no safetensors file: cut off, for one.
 * @throws {RangeError} when the file is no checkpoint, or contradicts itself; the message names the entry.
 * @throws {ShapeError | RangeError} when the state is not like `like`; the message names the path.
 */
export function loadCheckpoint(bytes: Uint8Array): Training<Params>;
export function loadCheckpoint<S extends ParamsOf<S>>(bytes: Uint8Array, like: S): Training<S>;
export function loadCheckpoint<S extends ParamsOf<S>>(bytes: Uint8Array, like?: S): Training<S | Params> {
  const { tensors: raw, metadata } = readSafetensors(bytes);
  const note = parseNote("loadCheckpoint", metadata);
  const held = new Map<string, Tensor>();
  try {
    for (const [name, entry] of raw) held.set(name, tensorOf(name, entry));
    const state = unflattenParams(startingWith(STATE_PREFIX, held));
    const slots = new Map(startingWith(OPTIMIZER_PREFIX, held));
    const averages = new Map(startingWith(AVERAGE_PREFIX, held));
    expectNothingElse(held);
    expectTrained(state, note);
    expectSlots(state, slots, averages, note);
    if (like === undefined) return restore(state, slots, averages, note);
    expectSameParams("loadCheckpoint", state, like);
    return restore(
      mapParams(like, (_, path) => held.get(`${STATE_PREFIX}${path}`)!),
      slots,
      averages,
      note,
    );
  } finally {
    for (const tensor of held.values()) tensor.dispose();
  }
}

function restore<S extends ParamsOf<S>>(
  state: S,
  slots: ReadonlyMap<string, Tensor>,
  averages: ReadonlyMap<string, Tensor>,
  { step, config, trained, counts, averaging, plateau, extra }: CheckpointNote,
): Training<S> {
  const training = trainingOf(state, config, trained, averaging, plateau);
  for (const [path, average] of averageEntries(training)) average.assign(averages.get(path)!);
  for (const [slot, path, tensor] of slotEntries(training)) {
    tensor.dispose();
    const found = keep(slots.get(`${slot}.${path}`)!.clone());
    (training.slots as Record<string, Record<string, Tensor>>)[slot]![path] = found;
  }
  const all = Object.fromEntries(trained.map((path) => [path, counts[path] ?? step]));
  return Object.assign(training, { step, counts: all, extra });
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
  const prefixes = [STATE_PREFIX, OPTIMIZER_PREFIX, AVERAGE_PREFIX];
  for (const name of tensors.keys()) {
    if (!prefixes.some((prefix) => name.startsWith(prefix))) {
      throw new RangeError(
        `loadCheckpoint: ${name}: expected a name that begins with ${prefixes.join(" or ")}, got another`,
      );
    }
  }
}

/** What is trained must be there, float32, and a parameter. */
function expectTrained(state: Params, { trained }: CheckpointNote): void {
  const possible = new Set(trainedPaths("loadCheckpoint: state", state, () => true));
  const wrong = trained.find((path) => !possible.has(path));
  if (wrong === undefined) return;
  throw new RangeError(
    `loadCheckpoint: ${STATE_PREFIX}${wrong}: expected a float32 parameter to train, got none`,
  );
}

/** One slot of its shape for each trained tensor, one average where there are any, and nothing else. */
function expectSlots(
  state: Params,
  slots: ReadonlyMap<string, Tensor>,
  averages: ReadonlyMap<string, Tensor>,
  { config, trained, averaging }: CheckpointNote,
): void {
  const shapes = new Map(flattenParams(state).map(([path, { shape }]) => [path, shape]));
  const slotNames = Object.keys(ruleOf(config).slots);
  const expected = slotNames.flatMap((slot) =>
    trained.map((path) => [`${slot}.${path}`, shapes.get(path)!] as const),
  );
  expectTensors(OPTIMIZER_PREFIX, slots, new Map(expected), config.name);
  const averaged = averaging === null ? [] : trained.map((path) => [path, shapes.get(path)!] as const);
  expectTensors(
    AVERAGE_PREFIX,
    averages,
    new Map(averaged),
    averaging === null ? "no averaging" : "averaging",
  );
}

/** Exactly the float32 tensors of these names and shapes. */
function expectTensors(
  prefix: string,
  tensors: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, readonly number[]>,
  what: string,
): void {
  for (const [name, shape] of expected) {
    const tensor = tensors.get(name);
    const where = `loadCheckpoint: ${prefix}${name}`;
    if (tensor === undefined) {
      throw new RangeError(`${where}: expected a tensor [${shape.join(", ")}], got none`);
    }
    expectShape(where, tensor, shape);
    if (tensor.dtype !== "float32") throw new RangeError(`${where}: expected float32, got ${tensor.dtype}`);
  }
  for (const name of tensors.keys()) {
    if (!expected.has(name)) {
      throw new RangeError(`loadCheckpoint: ${prefix}${name}: expected no such tensor for ${what}`);
    }
  }
}
