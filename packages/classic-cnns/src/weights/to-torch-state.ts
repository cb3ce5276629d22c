import type { LayerGraph } from "@gradlab/receptive-field";
import type { RawTensor } from "@gradlab/safetensors";
import type { NetworkState } from "../network-state.js";
import { hwioToOihw } from "./kernel-layout.js";
import { readValues, recordTensors } from "./record-tensors.js";
import { torchEntries } from "./torch-entries.js";

/**
 * The state_dict of a network for PyTorch: the way back of `fromTorchState`, in the order and with the names of
 * torchvision. `num_batches_tracked` is 0, so that `load_state_dict` finds all that it asks for. Write it with
 * `writeSafetensors(state, { metadata: { format: "pt" } })`.
 *
 * @param state As `initNetwork` makes it, or of a training. Borrowed.
 * @returns Float32 data in PyTorch's layout, by name.
 * @throws {RangeError | ShapeError | TypeError} when a tensor is missing, of another shape or dtype, or unexpected; the
 *   message names its path.
 */
export async function toTorchState(graph: LayerGraph, state: NetworkState): Promise<Map<string, RawTensor>> {
  const values = await readValues(recordTensors("toTorchState", graph, state));
  return new Map(
    torchEntries(graph, "toTorchState").map(({ name, shape, record, path, oihw }): [string, RawTensor] => {
      if (record === null) return [name, { dtype: "I64", shape, data: new BigInt64Array(1) }];
      const own = values.get(`${record}.${path}`)!;
      return [name, { dtype: "F32", shape, data: oihw === undefined ? own.slice() : hwioToOihw(own, oihw) }];
    }),
  );
}
