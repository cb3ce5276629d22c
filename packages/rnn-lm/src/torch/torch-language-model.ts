import type { Named, RawTensor } from "@gradlab/safetensors";
import { type Tensor1D, type Tensor2D, tensor1d } from "@tensorflow/tfjs-core";
import type { CellName } from "../cells/recurrent-rule.js";
import { rangeMismatch } from "../expect-argument.js";
import {
  expectSpec,
  type LanguageModelParams,
  type LanguageModelSpec,
  recurrentSpec,
} from "../model/language-model.js";
import { recurrentFromTorch, recurrentToTorch } from "./torch-recurrent.js";
import { matrix, namedTensors, raw, torchValues, transposed } from "./torch-tensors.js";

/** What PyTorch's module calls its parts. */
export interface TorchLanguageModelNames {
  /** Of the `nn.Embedding`; `"embed"` unless given. */
  readonly embedding?: string;
  /** Of the `nn.LSTM`, `nn.GRU` or `nn.RNN`; `"lstm"` unless given. */
  readonly recurrent?: string;
  /** Of the `nn.Linear`; `"linear"` unless given. */
  readonly output?: string;
}

const namesOf = ({
  embedding = "embed",
  recurrent = "lstm",
  output = "linear",
}: TorchLanguageModelNames) => ({
  embedding: `${embedding}.weight`,
  prefix: `${recurrent}.`,
  kernel: `${output}.weight`,
  bias: `${output}.bias`,
});

/**
 * A language model out of PyTorch's state_dict of an embedding, a recurrent network and a linear layer. Its spec is read
 * off the shapes; it is tied where the weights of the linear layer are those of the embedding.
 *
 * @param tensors As `readTorch` or `readSafetensors` gives them. Borrowed; numbers of float64 are rounded.
 * @returns The caller disposes the params.
 * @throws {TypeError | RangeError} when a tensor is missing, of another shape or no floating point numbers.
 */
export function languageModelFromTorch(
  tensors: Named<RawTensor>,
  names: TorchLanguageModelNames = {},
): { spec: LanguageModelSpec; params: LanguageModelParams } {
  const where = "languageModelFromTorch";
  const all = namedTensors(tensors);
  const { embedding: embeddingName, prefix, kernel: kernelName, bias: biasName } = namesOf(names);
  const table = torchValues(where, all, embeddingName, [null, null]);
  const [vocabulary, embedding] = table.shape as [number, number];
  const [wide, hidden] = torchValues(where, all, `${prefix}weight_hh_l0`, [null, null]).shape as [
    number,
    number,
  ];
  const cell = ({ 4: "lstm", 3: "gru", 1: "elman" } as const)[wide / hidden];
  if (cell === undefined) {
    const got = `[${wide}, ${hidden}]`;
    throw new RangeError(
      `${where}: ${prefix}weight_hh_l0: expected 4, 3 or 1 times as many rows as columns, got ${got}`,
    );
  }
  let layers = 0;
  while (all.has(`${prefix}weight_ih_l${layers}`)) layers++;
  const kernel = torchValues(where, all, kernelName, [vocabulary, hidden]);
  const bias = torchValues(where, all, biasName, [vocabulary]);
  const tied =
    hidden === embedding &&
    Array.prototype.every.call(kernel.values, (value, i) => value === table.values[i]);
  const spec: LanguageModelSpec = { cell: cell as CellName, vocabulary, embedding, hidden, layers, tied };
  return {
    spec,
    params: {
      layers: recurrentFromTorch(recurrentSpec(spec), tensors, { prefix }),
      embedding: matrix(Float32Array.from(table.values), vocabulary, embedding) as Tensor2D,
      ...(!tied && {
        kernel: matrix(transposed(kernel.values, vocabulary, hidden), hidden, vocabulary) as Tensor2D,
      }),
      bias: tensor1d(Float32Array.from(bias.values)) as Tensor1D,
    },
  };
}

/**
 * The same the other way round: a state_dict for PyTorch's module, to be written by `writeSafetensors` and read there by
 * `safetensors.torch.load_file`.
 *
 * @param params Borrowed.
 */
export async function languageModelToTorch(
  spec: LanguageModelSpec,
  params: LanguageModelParams,
  names: TorchLanguageModelNames = {},
): Promise<Map<string, RawTensor>> {
  expectSpec("languageModelToTorch: spec", spec);
  const { vocabulary, embedding, hidden } = spec;
  const { embedding: embeddingName, prefix, kernel, bias } = namesOf(names);
  if ((params.kernel === undefined) !== (spec.tied ?? false)) {
    throw rangeMismatch(
      "languageModelToTorch: params.kernel",
      spec.tied ? "none, it is tied" : "a tensor",
      params.kernel,
    );
  }
  const table = Float32Array.from(await params.embedding.data());
  const output =
    params.kernel === undefined ? table.slice() : transposed(await params.kernel.data(), hidden, vocabulary);
  return new Map([
    [embeddingName, raw(table, [vocabulary, embedding])],
    ...(await recurrentToTorch(recurrentSpec(spec), params.layers, { prefix })),
    [kernel, raw(output, [vocabulary, hidden])],
    [bias, raw(Float32Array.from(await params.bias.data()), [vocabulary])],
  ]);
}
