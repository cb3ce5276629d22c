/** What a kernel takes and gives; a shape in words, with float32 numbers unless it says otherwise. */
export interface FusedKernel {
  readonly inputs: Readonly<Record<string, string>>;
  readonly attributes: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  /** The kernel of its gradient, where it has one. */
  readonly backward: string | null;
}

const batchNorm = {
  inputs: { x: "[n, c]", scale: "[c]", offset: "[c]" },
  attributes: ["epsilon"],
  outputs: { y: "[n, c]", mean: "[c]", variance: "[c]" },
};

const batchNormGradient: FusedKernel = {
  inputs: {
    dy: "[n, c]",
    dMean: "[c]",
    dVariance: "[c]",
    x: "[n, c]",
    scale: "[c]",
    mean: "[c]",
    variance: "[c]",
  },
  attributes: ["epsilon"],
  outputs: { dx: "[n, c]", dScale: "[c]", dOffset: "[c]" },
  backward: null,
};

/**
 * The fused kernels that core runs where a backend has them, by name in tfjs's own kernel registry: what each takes and
 * gives. A backend gains speed by registering them (`registerKernel`), the forward one and the backward one together: a gradient needs both.
 *
 * A kernel writes into none of its inputs and returns new tensors. An id or label out of range reads and writes no
 * other memory: its row becomes NaN (in a table's gradient: is left out).
 */
export const fusedKernels: Readonly<Record<string, FusedKernel>> = {
  GradlabAdam: {
    inputs: {
      value: "[...]",
      gradient: "[...]",
      firstMoment: "[...]",
      secondMoment: "[...]",
    },
    attributes: ["learningRate", "beta1", "beta2", "epsilon", "count", "scale", "maxValue", "decay"],
    outputs: { value: "[...]", firstMoment: "[...]", secondMoment: "[...]" },
    backward: null,
  },
  GradlabBatchNorm: { ...batchNorm, backward: "GradlabBatchNormGrad" },
  GradlabBatchNormGrad: batchNormGradient,
  GradlabBatchNormRelu: { ...batchNorm, backward: "GradlabBatchNormReluGrad" },
  GradlabBatchNormReluGrad: { ...batchNormGradient, inputs: { ...batchNormGradient.inputs, y: "[n, c]" } },
  GradlabCrossEntropy: {
    inputs: { logits: "[n, classes]", labels: "[n] int32" },
    attributes: ["labelSmoothing"],
    outputs: { losses: "[n]" },
    backward: "GradlabCrossEntropyGrad",
  },
  GradlabCrossEntropyGrad: {
    inputs: { dy: "[n]", logits: "[n, classes]", labels: "[n] int32" },
    attributes: ["labelSmoothing"],
    outputs: { dLogits: "[n, classes]" },
    backward: null,
  },
  GradlabEmbed: {
    inputs: { table: "[n, d]", ids: "[k] int32" },
    attributes: [],
    outputs: { rows: "[k, d]" },
    backward: "GradlabEmbedGrad",
  },
  GradlabEmbedGrad: {
    inputs: { dy: "[k, d]", ids: "[k] int32" },
    attributes: ["n"],
    outputs: { dTable: "[n, d]" },
    backward: null,
  },
  GradlabGelu: {
    inputs: { x: "[...]" },
    attributes: ["approximate"],
    outputs: { y: "[...]" },
    backward: "GradlabGeluGrad",
  },
  GradlabGeluGrad: {
    inputs: { dy: "[...]", x: "[...]" },
    attributes: ["approximate"],
    outputs: { dx: "[...]" },
    backward: null,
  },
  GradlabGru: {
    inputs: { gates: "[t, b, 3h]", recurrent: "[h, 3h]", recurrentBias: "[3h]", h: "[b, h]" },
    attributes: [],
    outputs: { outputs: "[t, b, h]", activations: "[t, b, 4h]" },
    backward: "GradlabGruGrad",
  },
  GradlabGruGrad: {
    inputs: {
      dOutputs: "[t, b, h]",
      recurrent: "[h, 3h]",
      h: "[b, h]",
      outputs: "[t, b, h]",
      activations: "[t, b, 4h]",
    },
    attributes: [],
    outputs: { dGates: "[t, b, 3h]", dRecurrent: "[h, 3h]", dRecurrentBias: "[3h]", dH: "[b, h]" },
    backward: null,
  },
  GradlabLayerNorm: {
    inputs: { x: "[n, width]", scale: "[width]", offset: "[width]" },
    attributes: ["epsilon", "centers"],
    outputs: { y: "[n, width]" },
    backward: "GradlabLayerNormGrad",
  },
  GradlabLayerNormGrad: {
    inputs: { dy: "[n, width]", x: "[n, width]", scale: "[width]" },
    attributes: ["epsilon", "centers"],
    outputs: { dx: "[n, width]", dScale: "[width]", dOffset: "[width]" },
    backward: null,
  },
  GradlabLstm: {
    inputs: { gates: "[t, b, 4h]", recurrent: "[h, 4h]", h: "[b, h]", c: "[b, h]" },
    attributes: [],
    outputs: { outputs: "[t, b, h]", cells: "[t, b, h]", activations: "[t, b, 4h]" },
    backward: "GradlabLstmGrad",
  },
  GradlabLstmGrad: {
    inputs: {
      dOutputs: "[t, b, h]",
      dCells: "[t, b, h]",
      recurrent: "[h, 4h]",
      h: "[b, h]",
      c: "[b, h]",
      outputs: "[t, b, h]",
      cells: "[t, b, h]",
      activations: "[t, b, 4h]",
    },
    attributes: [],
    outputs: { dGates: "[t, b, 4h]", dRecurrent: "[h, 4h]", dH: "[b, h]", dC: "[b, h]" },
    backward: null,
  },
  GradlabMomentum: {
    inputs: { value: "[...]", gradient: "[...]", momentum: "[...]" },
    attributes: ["learningRate", "momentum", "nesterov", "scale", "maxValue", "decay"],
    outputs: { value: "[...]", momentum: "[...]" },
    backward: null,
  },
  GradlabSgd: {
    inputs: { value: "[...]", gradient: "[...]" },
    attributes: ["learningRate", "scale", "maxValue", "decay"],
    outputs: { value: "[...]" },
    backward: null,
  },
  GradlabSoftmaxGrad: {
    inputs: { dy: "[n, columns]", y: "[n, columns]" },
    attributes: [],
    outputs: { dx: "[n, columns]" },
    backward: null,
  },
};
