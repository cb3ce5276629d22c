import { float32Values, type RawTensor, readSafetensors } from "@gradlab/safetensors";
import { looksLikeTorch, type ReadTorchOptions, readTorch } from "@gradlab/torch-files";
import { type Tensor, type Tensor1D, type Tensor2D, tensor } from "@tensorflow/tfjs-core";
import type { Activation } from "../activation.js";
import { rangeMismatch, typeMismatch } from "../expect-argument.js";
import type { GptParams } from "../gpt.js";
import { fullGptConfig, type GptConfig } from "../gpt-config.js";
import type { LinearParams } from "../linear.js";

/** What stands in the `config.json` of a GPT-2; other entries are left alone. */
export interface Gpt2Config {
  readonly vocab_size: number;
  readonly n_positions: number;
  readonly n_embd: number;
  readonly n_layer: number;
  readonly n_head: number;
  /** `4 * n_embd` unless given. */
  readonly n_inner?: number | null;
  /** `"gelu_new"` unless given; also `"gelu"` and `"relu"`. */
  readonly activation_function?: string;
  /** 1e-5 unless given. */
  readonly layer_norm_epsilon?: number;
  /** True unless given. */
  readonly tie_word_embeddings?: boolean;
  /** Scores are divided by the square root of the size of a head; nothing but true is computed here. */
  readonly scale_attn_weights?: boolean;
  /** And by the number of the block; nothing but false is computed here. */
  readonly scale_attn_by_inverse_layer_idx?: boolean;
  /** Nothing but false is computed here. */
  readonly add_cross_attention?: boolean;
}

/** A GPT-2 of a configuration: how it is computed, and how its weights are read. */
export interface Gpt2 {
  /** For `applyGpt`, `applyGptCached` and `gptModel`. */
  readonly config: GptConfig;
  /**
   * The parameters in a file: safetensors, or what `torch.save` wrote of a state dict.
   *
   * @param bytes The whole file; not kept.
   * @param options Of `readTorch`, for a file of `torch.save`.
   * @returns float32 tensors; the caller disposes them.
   * @throws {TorchFileError | SafetensorsError} when the file is not valid.
   * @throws {RangeError} when its tensors are not those of the configuration; one error lists them.
   */
  readonly read: (bytes: Uint8Array | ArrayBufferLike, options?: ReadTorchOptions) => GptParams;
  /** The same of tensors that have been read, by the names of the file. */
  readonly take: (tensors: ReadonlyMap<string, RawTensor>) => GptParams;
}

const activations: Readonly<Record<string, Activation>> = {
  gelu_new: "gelu-tanh",
  gelu: "gelu",
  relu: "relu",
};

/** What makes another model of the same weights, where it is not this. */
const only = {
  scale_attn_weights: true,
  scale_attn_by_inverse_layer_idx: false,
  add_cross_attention: false,
} as const;

/**
 * GPT-2 with the names of Hugging Face's transformers: `wte.weight`, `h.0.attn.c_attn.weight`, … with or without
 * `transformer.` before them. Kernels are `[in, out]` there too (`Conv1D`); `c_attn` holds queries, keys and values side
 * by side. The masks that old files hold (`attn.bias`, `attn.masked_bias`) are left out.
 *
 * @param config As in `config.json`.
 * @throws {TypeError | RangeError} when an entry of the configuration is missing or out of range.
 * @see Radford et al. 2019, Language models are unsupervised multitask learners
 */
export function gpt2(config: Gpt2Config): Gpt2 {
  if (typeof config !== "object" || config === null) throw typeMismatch("gpt2: config", "a record", config);
  const { activation_function = "gelu_new", layer_norm_epsilon = 1e-5, tie_word_embeddings = true } = config;
  const activation = activations[activation_function];
  if (!Object.hasOwn(activations, activation_function) || activation === undefined) {
    const expected = `one of ${Object.keys(activations).join(", ")}`;
    throw rangeMismatch("gpt2: config.activation_function", expected, activation_function);
  }
  for (const [name, known] of Object.entries(only)) {
    const value = config[name as keyof typeof only] ?? known;
    if (value !== known) throw rangeMismatch(`gpt2: config.${name}`, `${known}`, value);
  }
  const own: GptConfig = {
    vocabulary: config.vocab_size,
    context: config.n_positions,
    width: config.n_embd,
    layers: config.n_layer,
    heads: config.n_head,
    hidden: config.n_inner ?? 4 * config.n_embd,
    activation,
    epsilon: layer_norm_epsilon,
    tied: tie_word_embeddings,
  };
  const full = fullGptConfig("gpt2", own);
  return {
    config: own,
    read: (bytes, options = {}) => {
      const file = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes as ArrayBuffer);
      const { tensors } = looksLikeTorch(file) ? readTorch(file, options) : readSafetensors(file);
      return paramsOf("gpt2.read", full, tensors);
    },
    take: (tensors) => paramsOf("gpt2.take", full, tensors),
  };
}

type Full = Required<GptConfig>;

/** The shapes of all tensors by name. */
function shapesOf({ vocabulary, context, width, layers, hidden, tied }: Full): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const norm = (name: string) => shapes.set(`${name}.weight`, [width]).set(`${name}.bias`, [width]);
  const layer = (name: string, inputs: number, outputs: number) =>
    shapes.set(`${name}.weight`, [inputs, outputs]).set(`${name}.bias`, [outputs]);
  shapes.set("wte.weight", [vocabulary, width]).set("wpe.weight", [context, width]);
  for (let i = 0; i < layers; i++) {
    norm(`h.${i}.ln_1`);
    layer(`h.${i}.attn.c_attn`, width, 3 * width);
    layer(`h.${i}.attn.c_proj`, width, width);
    norm(`h.${i}.ln_2`);
    layer(`h.${i}.mlp.c_fc`, width, hidden);
    layer(`h.${i}.mlp.c_proj`, hidden, width);
  }
  norm("ln_f");
  if (!tied) shapes.set("lm_head.weight", [vocabulary, width]);
  return shapes;
}

function paramsOf(where: string, full: Full, found: ReadonlyMap<string, RawTensor>): GptParams {
  const { width, layers, vocabulary, tied } = full;
  const values = valuesOf(where, full, found);
  const of = (name: string) => values.get(name)!;
  const vector = (name: string) => tensor(of(name).slice()) as Tensor1D;
  const matrix = (name: string, rows: number) =>
    tensor(of(name).slice(), [rows, of(name).length / rows]) as Tensor2D;
  const layer = (name: string, inputs: number): LinearParams => ({
    kernel: matrix(`${name}.weight`, inputs),
    bias: vector(`${name}.bias`),
  });
  const norm = (name: string) => ({ scale: vector(`${name}.weight`), offset: vector(`${name}.bias`) });
  /** The third of `c_attn` from this column on. */
  const third = (name: string, part: number): LinearParams => {
    const [joined, biases] = [of(`${name}.weight`), of(`${name}.bias`)];
    const kernel = Float32Array.from({ length: width * width }, (_, i) => {
      return joined[Math.floor(i / width) * 3 * width + part * width + (i % width)]!;
    });
    const bias = biases.slice(part * width, (part + 1) * width);
    return { kernel: tensor(kernel, [width, width]) as Tensor2D, bias: tensor(bias) as Tensor1D };
  };
  return {
    tokens: matrix("wte.weight", vocabulary),
    positions: matrix("wpe.weight", full.context),
    blocks: Array.from({ length: layers }, (_, i) => ({
      attentionNorm: norm(`h.${i}.ln_1`),
      attention: {
        query: third(`h.${i}.attn.c_attn`, 0),
        key: third(`h.${i}.attn.c_attn`, 1),
        value: third(`h.${i}.attn.c_attn`, 2),
        output: layer(`h.${i}.attn.c_proj`, width),
      },
      feedForwardNorm: norm(`h.${i}.ln_2`),
      feedForward: {
        layers: [layer(`h.${i}.mlp.c_fc`, width), layer(`h.${i}.mlp.c_proj`, full.hidden)],
      },
    })),
    norm: norm("ln_f"),
    ...(!tied && { head: transposed(of("lm_head.weight"), vocabulary, width) }),
  };
}

/** `[rows, columns]` as a tensor `[columns, rows]`. */
function transposed(values: Float32Array, rows: number, columns: number): Tensor2D {
  const turned = Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
  return tensor(turned, [columns, rows]) as Tensor as Tensor2D;
}

/** The numbers of all tensors by their short names, checked before any tensor is made. */
function valuesOf(
  where: string,
  full: Full,
  found: ReadonlyMap<string, RawTensor>,
): Map<string, Float32Array> {
  const shapes = shapesOf(full);
  const short = new Map<string, RawTensor>();
  for (const [name, raw] of found) {
    const own = name.replace(/^transformer\./, "");
    if (/^h\.\d+\.attn\.(?:masked_)?bias$/.test(own)) continue; // masks
    short.set(own, raw);
  }
  const faults: string[] = [];
  const values = new Map<string, Float32Array>();
  const show = (shape: readonly number[]) => `[${shape.join(", ")}]`;
  for (const [name, shape] of shapes) {
    const raw = short.get(name);
    const numbers = raw === undefined ? null : float32Values(raw);
    if (raw === undefined) faults.push(`no ${name} ${show(shape)}`);
    else if (raw.shape.join() !== shape.join()) {
      faults.push(`${name} ${show(raw.shape)} instead of ${show(shape)}`);
    } else if (numbers === null) faults.push(`${name} of ${raw.dtype}`);
    else values.set(name, numbers);
  }
  for (const [name, raw] of short) {
    if (shapes.has(name)) continue;
    if (name === "lm_head.weight" && full.tied) {
      // The same table again, as long as it is the same.
      const [head, table] = [float32Values(raw), values.get("wte.weight")];
      const same = head?.length === table?.length && head?.every((value, i) => value === table![i]);
      if (!same) faults.push("a lm_head.weight that is not wte.weight, although they are tied");
    } else faults.push(`${name} ${show(raw.shape)}, which it has no use for`);
  }
  if (faults.length > 0) {
    const some = faults.length > 8 ? `${faults.slice(0, 8).join("; ")}; …` : faults.join("; ");
    throw new RangeError(`${where}: tensors: expected the ${shapes.size} of this configuration, got ${some}`);
  }
  return values;
}
