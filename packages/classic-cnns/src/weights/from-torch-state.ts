import { unflattenParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { float32Values, type Named, type RawTensor } from "@gradlab/safetensors";
import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import { headOf } from "../head-of.js";
import type { NetworkState } from "../network-state.js";
import { expectTensors } from "./expect-tensors.js";
import { oihwToHwio } from "./kernel-layout.js";
import { type TorchEntry, torchEntries } from "./torch-entries.js";
import { withFacts } from "./with-facts.js";

/** A state of PyTorch as it is here; what else is said of it is not enumerable, no record among the others. */
export interface TorchWeights extends NetworkState {
  /** The tensors that this network has no use for: GoogLeNet's auxiliary classifiers. */
  readonly ignored: readonly string[];
}

/**
 * The parameters and running statistics of a network from PyTorch's state_dict of it. The names are torchvision's where
 * it has the network (`features.0.weight` is `conv1.kernel` of AlexNet and VGG), and the names of the layers elsewhere.
 *
 * Layouts: a convolution `[out, in, h, w]` becomes `[h, w, in, out]`, a dense kernel `[out, in]` becomes `[in, out]`;
 * the first one behind a flattened map has its inputs moved from the order channels, height, width to height, width,
 * channels, and so do the numbers of a batch norm there. (Behind maps that were flattened and then concatenated they
 * stay where they are, which is right for maps of 1 x 1 only.) float16 and bfloat16 become float32 exactly, float64 is
 * rounded.
 *
 * Three things are settled without asking. `module.`, `model.` and `_orig_mod.` are taken away as long as every name
 * begins so (`DataParallel`, wrappers and `torch.compile` put them there), and the count `n_averaged` of an
 * `AveragedModel` is left out. DenseNet's old names
 * (`denselayer1.norm.1.weight`) are read as today's (`denselayer1.norm1.weight`). `num_batches_tracked` may be there or
 * not.
 *
 * torchvision's pretrained GoogLeNet expects another normalization of its images: see `transformInput`.
 *
 * @param graph Any network of `network`, of any size, width and number of classes.
 * @param tensors A state_dict, such as `readTorch` or `readSafetensors` gives it. Borrowed.
 * @returns float32 tensors; the caller disposes them.
 * @throws {RangeError} when tensors are missing, unexpected, of another shape or not of floats; it lists them.
 */
export function fromTorchState(graph: LayerGraph, tensors: Named<RawTensor>): TorchWeights {
  return torchState("fromTorchState", graph, tensors);
}

/** @param caller The function that was called: it begins the messages. */
export function torchState(caller: string, graph: LayerGraph, tensors: Named<RawTensor>): TorchWeights {
  const where = `${caller}: tensors`;
  const entries = torchEntries(graph, caller).filter(({ record }) => record !== null);
  const expected = new Map(entries.map(({ name, shape }) => [name, shape]));
  const { found, ignored } = settleNames(where, expected, withoutPrefixes(namedTensors(where, tensors)));
  try {
    expectTensors(where, expected, found);
  } catch (error) {
    throw withClassCount(error, graph, entries, found);
  }
  const records = { params: [] as [string, Tensor][], statistics: [] as [string, Tensor][] };
  for (const { name, record, path, ownShape, oihw } of entries) {
    const values = float32Values(found.get(name)!)!;
    const own = oihw === undefined ? values.slice() : oihwToHwio(values, oihw);
    records[record!].push([path, tensor(own, [...ownShape], "float32")]);
  }
  const state = {
    params: unflattenParams(records.params),
    statistics: unflattenParams(records.statistics),
  };
  return withFacts(state, { ignored });
}

/** Tells the number of classes that a file has where it is another than the graph's. */
function withClassCount(
  error: unknown,
  graph: LayerGraph,
  entries: readonly TorchEntry[],
  found: ReadonlyMap<string, RawTensor>,
): unknown {
  const head = headOf(graph);
  const kernel = entries.find(({ path }) => path === `${head}.kernel`);
  const classes = kernel && found.get(kernel.name)?.shape[0];
  if (!(error instanceof RangeError) || classes === undefined || classes === kernel?.shape[0]) return error;
  return new RangeError(
    `${error.message} (the file is of ${classes} classes, the graph of ${kernel?.shape[0]}: the option classes makes it one of ${classes})`,
  );
}

function namedTensors(where: string, tensors: Named<RawTensor>): [string, RawTensor][] {
  if (typeof tensors !== "object" || tensors === null) {
    throw new TypeError(`${where}: expected a Map, pairs or a record, got ${String(tensors)}`);
  }
  const pairs = [...(Symbol.iterator in tensors ? tensors : Object.entries(tensors))];
  return pairs.map(([name, tensor]) => {
    const { shape, data } = tensor ?? {};
    const size = Array.isArray(shape) ? shape.reduce((a, b) => a * b, 1) : null;
    if (!ArrayBuffer.isView(data) || data.length !== size) {
      const expected = "{ dtype, shape, data } with a typed array as long as the shape says";
      throw new TypeError(`${where}: ${JSON.stringify(name)}: expected ${expected}, got something else`);
    }
    return [name, tensor];
  });
}

/** Names of a network here never begin so. */
const prefixes = ["module.", "model.", "_orig_mod."];

function withoutPrefixes(tensors: [string, RawTensor][]): [string, RawTensor][] {
  // AveragedModel counts its updates beside the module that it wraps.
  const wrapped = tensors.filter(([name]) => name !== "n_averaged");
  if (wrapped.length < tensors.length) return withoutPrefixes(wrapped);
  const prefix = prefixes.find((begin) => tensors.every(([name]) => name.startsWith(begin)));
  if (prefix === undefined || tensors.length === 0) return tensors;
  return withoutPrefixes(tensors.map(([name, value]) => [name.slice(prefix.length), value]));
}

const oldDenseLayer = /^(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)$/;
const counter = /(?:^|\.)num_batches_tracked$/;
const auxiliary = /^aux[12]\./;

function settleNames(
  where: string,
  expected: ReadonlyMap<string, unknown>,
  tensors: readonly (readonly [string, RawTensor])[],
): { found: ReadonlyMap<string, RawTensor>; ignored: readonly string[] } {
  const found = new Map<string, RawTensor>();
  const ignored: string[] = [];
  const isGoogLeNet = expected.has("inception5b.branch4.1.conv.weight");
  for (const [given, value] of tensors) {
    const name = given.replace(oldDenseLayer, "$1$2");
    const settled = expected.has(name) ? name : given;
    if (isGoogLeNet && auxiliary.test(given)) ignored.push(given);
    else if (found.has(settled)) {
      throw new RangeError(`${where}: expected ${JSON.stringify(settled)} once, got it twice`);
    } else if (!counter.test(given)) found.set(settled, value);
  }
  return { found, ignored };
}
