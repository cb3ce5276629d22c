import { categorical, type RandomStream } from "@gradlab/random";
import { gather, type Tensor, type Tensor1D, type Tensor2D, tensor1d, tidy } from "@tensorflow/tfjs-core";
import { expectFinite, rangeMismatch, typeMismatch } from "../expect-argument.js";
import { expectShape } from "../expect-shape.js";
import { expectInteger } from "../expect-values.js";
import { mapParams } from "../params/map-params.js";
import { entriesOf, type ParamsOf } from "../params/params.js";
import { breather } from "../training/breather.js";
import { largest, type SamplingOptions, weigh } from "./token-probabilities.js";

/** A model that reads one id after another: a recurrent network, or a transformer with its cache. */
export interface SequenceModel<State> {
  /** The state before the first id, for one sequence: tensors whose first axis is the sequence, of length 1. */
  readonly start: () => State;
  /**
   * Reads one id of each of n sequences, `[n]` int32, and gives logits `[n, vocabulary]` of the ids that follow and the
   * next state, with n on the first axis. Called in a `tidy`; its arguments are borrowed.
   */
  readonly step: (state: State, ids: Tensor1D) => { readonly logits: Tensor2D; readonly state: State };
}

export interface GenerateOptions extends SamplingOptions {
  /** How many ids at most, at least 0. */
  readonly length: number;
  /** Draws each id from this stream, by `temperature`, `topK` and `topP`. Without it the most likely is taken. */
  readonly stream?: RandomStream;
  /** Searches with so many sequences at once, at least 1, for a likely whole. Not together with a stream. */
  readonly beams?: number;
  /**
   * Beams that have ended are compared by `log p / length^lengthPenalty`: 0, the default, prefers the likely, and so the
   * short; 1 compares means.
   */
  readonly lengthPenalty?: number;
  /** The id that ends a sequence; it is the last one given. None unless given. */
  readonly stop?: number;
  /** Stops before the next id with the signal's reason as the error. */
  readonly signal?: AbortSignal;
}

export interface GeneratedId {
  readonly id: number;
  /** Its log-probability by the model (not by temperature, topK and topP), in nats. */
  readonly logProbability: number;
}

/**
 * Goes on with a text: reads a prompt, then gives one id each time the next is asked for.
 *
 * Greedy unless told otherwise; with a `stream` each id is drawn as `sample` does; with `beams` the likeliest of the
 * sequences found by beam search comes, all of it at the end of the search (with as many beams as there are sequences
 * it is the likeliest of all). What follows from the same model, prompt, options and stream is the same.
 *
 * @param model Borrowed, as is all that its functions hold on to.
 * @param prompt Ids, at least one.
 * @returns Leaving the loop with `break` needs no cleaning up.
 * @throws {TypeError | RangeError} when an argument is not as stated: at the call. While it runs: when the model's logits
 *   are not as in `sample`.
 * @see Sutskever, Vinyals, Le 2014, §3.2 (beam search), https://arxiv.org/abs/1409.3215
 */
export function generate<State extends ParamsOf<State>>(
  model: SequenceModel<State>,
  prompt: ArrayLike<number>,
  options: GenerateOptions,
): AsyncGenerator<GeneratedId, void, undefined> {
  if (typeof model?.start !== "function" || typeof model.step !== "function") {
    throw typeMismatch("generate: model", "{start, step}", model);
  }
  const ids = Array.from(prompt);
  if (ids.length === 0) throw rangeMismatch("generate: prompt", "at least one id", prompt);
  for (const [i, id] of ids.entries()) expectInteger(`generate: prompt[${i}]`, id, 0);
  const { length, stream, beams, lengthPenalty = 0, stop } = options;
  expectInteger("generate: length", length, 0);
  expectFinite("generate: lengthPenalty", lengthPenalty);
  if (stop !== undefined) expectInteger("generate: stop", stop, 0);
  if (stream === undefined) {
    for (const name of ["temperature", "topK", "topP"] as const) {
      if (options[name] !== undefined) {
        throw rangeMismatch(`generate: ${name}`, "a stream to draw from beside it", undefined);
      }
    }
  }
  if (beams === undefined) return one(model, ids, options);
  expectInteger("generate: beams", beams, 1);
  if (stream !== undefined) {
    throw rangeMismatch("generate: beams, stream", "one of them", "both");
  }
  return search(model, ids, options, beams, lengthPenalty);
}

/** Holds the state and steps it: the state before is disposed when the next is there. */
class Reader<State extends ParamsOf<State>> {
  private state: State;
  private readonly breathe = breather();
  private readonly model: SequenceModel<State>;
  private readonly signal: AbortSignal | undefined;

  constructor(model: SequenceModel<State>, signal: AbortSignal | undefined) {
    this.model = model;
    this.signal = signal;
    this.state = tidy(() => owned(model.start()));
  }

  /** The logits after one more id of each sequence, row after row. */
  async read(ids: readonly number[]): Promise<Float32Array[]> {
    await this.breathe();
    this.signal?.throwIfAborted();
    const next = tidy(() => {
      const { logits, state } = this.model.step(this.state, tensor1d([...ids], "int32"));
      expectShape("generate: logits", logits, [ids.length, null]);
      return { logits: logits.clone(), state: owned(state) };
    }) as { logits: Tensor2D; state: State };
    this.dispose();
    this.state = next.state;
    try {
      const data = (await next.logits.data()) as Float32Array;
      if (ids.length === 1) return [data];
      const size = next.logits.shape[1];
      return ids.map((_, i) => data.slice(i * size, (i + 1) * size));
    } finally {
      next.logits.dispose();
    }
  }

  /** Goes on with the sequences at these places alone. */
  choose(rows: readonly number[]): void {
    const chosen = tidy(() => {
      const index = tensor1d([...rows], "int32");
      return mapParams(this.state, (tensor) => gather(tensor, index)) as never;
    }) as State;
    this.dispose();
    this.state = chosen;
  }

  dispose(): void {
    for (const [, tensor] of entriesOf("generate: state", this.state)) tensor.dispose();
  }
}

/** Copies, which a state that hands on what it was given can share with the one before. */
function owned<State extends ParamsOf<State>>(state: State): never {
  return mapParams(state, (tensor: Tensor) => tensor.clone()) as never;
}

async function* one<State extends ParamsOf<State>>(
  model: SequenceModel<State>,
  prompt: readonly number[],
  options: GenerateOptions,
): AsyncGenerator<GeneratedId, void, undefined> {
  const { length, stream, stop, signal } = options;
  if (length === 0) return;
  const reader = new Reader(model, signal);
  try {
    let logits: Float32Array | undefined;
    let weighed: ReturnType<typeof weigh> | undefined;
    for (const id of prompt) [logits] = await reader.read([id]);
    for (let i = 0; ; i++) {
      weighed = stream && weigh("generate", logits!, options, weighed?.weights);
      const id = weighed ? categorical(stream!, weighed.weights) : largest("generate", logits!);
      yield { id, logProbability: logits![id]! - (weighed?.logSum ?? logSum(logits!)) };
      if (id === stop || i === length - 1) return;
      [logits] = await reader.read([id]);
    }
  } finally {
    reader.dispose();
  }
}

/** A sequence of a search. */
interface Beam {
  readonly ids: readonly GeneratedId[];
  readonly total: number;
  /** Its place in the state of the step before. */
  readonly row: number;
}

async function* search<State extends ParamsOf<State>>(
  model: SequenceModel<State>,
  prompt: readonly number[],
  { length, stop, signal }: GenerateOptions,
  beams: number,
  lengthPenalty: number,
): AsyncGenerator<GeneratedId, void, undefined> {
  if (length === 0) return;
  const score = ({ ids, total }: Beam) => total / ids.length ** lengthPenalty;
  const reader = new Reader(model, signal);
  let best: Beam | undefined;
  const end = (beam: Beam) => {
    if (best === undefined || score(beam) > score(best)) best = beam;
  };
  try {
    let rows: Float32Array[] = [];
    for (const id of prompt) rows = await reader.read([id]);
    let live: Beam[] = [{ ids: [], total: 0, row: 0 }];
    for (let i = 0; i < length; i++) {
      const next = extended(live, rows, beams, stop);
      for (const beam of next.ended) end(beam);
      live = next.live;
      // A longer sequence is never likelier; where length counts it may still be better.
      const hopeless =
        lengthPenalty === 0 && best !== undefined && (live[0]?.total ?? -Infinity) <= best.total;
      if (i === length - 1 || live.length === 0 || hopeless) break;
      reader.choose(live.map(({ row }) => row));
      rows = await reader.read(live.map(({ ids }) => ids.at(-1)!.id));
    }
    for (const beam of live) if (beam.ids.length === length) end(beam);
  } finally {
    reader.dispose();
  }
  yield* best?.ids ?? [];
}

/** The likeliest `beams` extensions that go on, and those that end among the likeliest `beams` of all. */
function extended(
  live: readonly Beam[],
  rows: readonly Float32Array[],
  beams: number,
  stop: number | undefined,
): { live: Beam[]; ended: Beam[] } {
  const candidates = live.flatMap(({ total }, row) => {
    const logs = logProbabilities(rows[row]!);
    return Array.from(logs, (logProbability, id) => ({
      row,
      id,
      logProbability,
      total: total + logProbability,
    }));
  });
  candidates.sort((a, b) => b.total - a.total || a.row - b.row || a.id - b.id);
  const result = { live: [] as Beam[], ended: [] as Beam[] };
  for (const [rank, { row, id, logProbability, total }] of candidates.entries()) {
    if (result.live.length === beams || total === Number.NEGATIVE_INFINITY) break;
    const beam = { ids: [...live[row]!.ids, { id, logProbability }], total, row };
    if (id !== stop) result.live.push(beam);
    else if (rank < beams) result.ended.push(beam);
  }
  return result;
}

/** `log softmax`, in double precision. */
function logProbabilities(logits: Float32Array): Float64Array {
  const sum = logSum(logits);
  return Float64Array.from(logits, (logit) => logit - sum);
}

/** `log Σ exp z`, in double precision. */
function logSum(logits: Float32Array): number {
  const top = logits[largest("generate", logits)]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - top);
  return top + Math.log(sum);
}
