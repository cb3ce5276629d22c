import type { Named, RawTensor } from "@gradlab/safetensors";
import { type Tensor1D, type Tensor2D, tensor1d } from "@tensorflow/tfjs-core";
import { cellRules } from "../cells/cell-rules.js";
import { expectRecurrentSpec, type RecurrentLayerParams, type RecurrentSpec } from "../recurrent-network.js";
import { matrix, namedTensors, raw, torchValues, transposed } from "./torch-tensors.js";

/** What the names of a module's tensors begin with: `"rnn."`. */
export interface TorchPrefix {
  /** `""` unless given. */
  readonly prefix?: string;
}

/**
 * The weights of PyTorch's `nn.LSTM`, `nn.GRU` or `nn.RNN` (tanh), one direction, all layers: `weight_ih_l0` `[g · hidden,
 * inputs]` becomes `input` `[inputs, g · hidden]`. The order of the gates is the same. The two biases of an LSTM and of an
 * RNN are only ever added, and become one.
 *
 * @param tensors As `readTorch` or `readSafetensors` gives them. Borrowed; numbers of float64 are rounded.
 * @returns The caller disposes them.
 * @throws {TypeError | RangeError} when a tensor is missing, of another shape or no floating point numbers.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html, "Variables"
 */
export function recurrentFromTorch(
  spec: RecurrentSpec,
  tensors: Named<RawTensor>,
  { prefix = "" }: TorchPrefix = {},
): RecurrentLayerParams[] {
  const where = "recurrentFromTorch";
  expectRecurrentSpec(`${where}: spec`, spec);
  const all = namedTensors(tensors);
  const { gates, recurrentBias } = cellRules[spec.cell];
  const { hidden, layers = 1 } = spec;
  const wide = gates * hidden;
  const read = (name: string, shape: readonly number[]) =>
    torchValues(where, all, `${prefix}${name}`, shape).values;
  // All of it is read before a tensor is made.
  const found = Array.from({ length: layers }, (_, i) => {
    const inputs = i === 0 ? spec.inputs : hidden;
    const [own, ofState] = [read(`bias_ih_l${i}`, [wide]), read(`bias_hh_l${i}`, [wide])];
    return {
      inputs,
      input: transposed(read(`weight_ih_l${i}`, [wide, inputs]), wide, inputs),
      recurrent: transposed(read(`weight_hh_l${i}`, [wide, hidden]), wide, hidden),
      bias: Float32Array.from(own, (value, k) => (recurrentBias ? value : value + ofState[k]!)),
      ofState: recurrentBias ? Float32Array.from(ofState) : null,
    };
  });
  return found.map(({ inputs, input, recurrent, bias, ofState }) => ({
    input: matrix(input, inputs, wide) as Tensor2D,
    recurrent: matrix(recurrent, hidden, wide) as Tensor2D,
    bias: tensor1d(bias) as Tensor1D,
    ...(ofState && { recurrentBias: tensor1d(ofState) as Tensor1D }),
  }));
}

/**
 * The same the other way round: tensors that PyTorch's module loads. The one bias becomes `bias_ih`, and `bias_hh` is 0.
 *
 * @param params Borrowed.
 * @returns Float32 tensors under PyTorch's names, for `writeSafetensors`.
 */
export async function recurrentToTorch(
  spec: RecurrentSpec,
  params: readonly RecurrentLayerParams[],
  { prefix = "" }: TorchPrefix = {},
): Promise<Map<string, RawTensor>> {
  expectRecurrentSpec("recurrentToTorch: spec", spec);
  const result = new Map<string, RawTensor>();
  for (const [i, { input, recurrent, bias, recurrentBias }] of params.entries()) {
    const weights = async (tensor: Tensor2D) => {
      const [inputs, wide] = tensor.shape;
      return raw(transposed(await tensor.data(), inputs, wide), [wide, inputs]);
    };
    const own = Float32Array.from(await bias.data());
    const ofState =
      recurrentBias === undefined
        ? new Float32Array(own.length)
        : Float32Array.from(await recurrentBias.data());
    result.set(`${prefix}weight_ih_l${i}`, await weights(input));
    result.set(`${prefix}weight_hh_l${i}`, await weights(recurrent));
    result.set(`${prefix}bias_ih_l${i}`, raw(own, [own.length]));
    result.set(`${prefix}bias_hh_l${i}`, raw(ofState, [own.length]));
  }
  return result;
}
