import { companionOf } from "../companion/companion.js";
import { type BackendWasm, floats, sizeOf, type TensorInfo } from "../heap.js";

/** Whether no element of a float32 tensor is infinite or NaN. */
export function allFinite(backend: BackendWasm, x: TensorInfo): boolean {
  const companion = companionOf(backend);
  if (companion !== undefined) return companion.allFinite(backend.getMemoryOffset(x.dataId), sizeOf(x.shape));
  const values = floats(backend, x);
  let [sum, i] = [0, 0];
  for (; i + 3 < values.length; i += 4) {
    sum += values[i]! * 0 + values[i + 1]! * 0 + (values[i + 2]! * 0 + values[i + 3]! * 0);
  }
  for (; i < values.length; i++) sum += values[i]! * 0;
  return sum === 0;
}
