import type { LayerGraph } from "@gradlab/receptive-field";
import { type Named, type RawTensor, writeSafetensors } from "@gradlab/safetensors";
import type { NetworkState } from "../network-state.js";
import { readValues, recordTensors } from "./record-tensors.js";
import { FORMAT_VERSION, METADATA_KEY } from "./weights-format.js";

export interface WriteWeightsOptions {
  /** Free strings, such as the name and the options of the network; not `gradlab.weights`, which marks the format. */
  readonly metadata?: Named<string>;
}

/**
 * The weights of a network as the bytes of a safetensors file, which `readWeights` reads: tensors `params.<path>` and
 * `statistics.<path>`, float32, in the layout that they have here. The same weights and metadata give the same bytes.
 *
 * What is written is the moment of the call. For PyTorch, write what `toTorchState` gives instead.
 *
 * @param state As `initNetwork` makes it, or of a training. Borrowed.
 * @throws {RangeError | ShapeError | TypeError} when a tensor is missing, of another shape or dtype, or unexpected (the
 *   message names its path), or the metadata is not strings or has the key `gradlab.weights`.
 */
export async function writeWeights(
  graph: LayerGraph,
  state: NetworkState,
  { metadata = {} }: WriteWeightsOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const strings = [...(Symbol.iterator in metadata ? metadata : Object.entries(metadata))];
  if (strings.some(([key]) => key === METADATA_KEY)) {
    throw new RangeError(`writeWeights: metadata: expected keys other than ${METADATA_KEY}, got it`);
  }
  const tensors = recordTensors("writeWeights", graph, state);
  const values = await readValues(tensors);
  const raw = new Map(
    [...tensors].map(([name, { shape }]): [string, RawTensor] => [
      name,
      { dtype: "F32", shape, data: values.get(name)! },
    ]),
  );
  return writeSafetensors(raw, { metadata: [...strings, [METADATA_KEY, FORMAT_VERSION]] });
}
