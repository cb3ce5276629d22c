import { engine, type GradConfig, type NamedAttrMap, type Tensor } from "@tensorflow/tfjs-core";

/** The gradients of the fused kernels: one kernel each. */
export const fusedGradients: readonly GradConfig[] = [
  {
    kernelName: "GradlabBatchNorm",
    inputsToSave: ["x", "scale"],
    outputsToSave: [false, true, true],
    gradFunc: (dys, [x, scale, mean, variance], attributes) =>
      batchNorm("GradlabBatchNormGrad", dys as Tensor[], { x, scale, mean, variance }, attributes),
  },
  {
    kernelName: "GradlabBatchNormRelu",
    inputsToSave: ["x", "scale"],
    outputsToSave: [true, true, true],
    gradFunc: (dys, [x, scale, y, mean, variance], attributes) =>
      batchNorm("GradlabBatchNormReluGrad", dys as Tensor[], { x, y, scale, mean, variance }, attributes),
  },
  {
    kernelName: "GradlabCrossEntropy",
    inputsToSave: ["logits", "labels"],
    gradFunc: (dy, saved, attributes) => {
      const [logits, labels] = saved as [Tensor, Tensor];
      return named("GradlabCrossEntropyGrad", { dy: dy as Tensor, logits, labels }, attributes, ["logits"]);
    },
  },
  {
    kernelName: "GradlabEmbed",
    inputsToSave: ["table", "ids"],
    gradFunc: (dy, saved) => {
      const [table, ids] = saved as [Tensor, Tensor];
      return named("GradlabEmbedGrad", { dy: dy as Tensor, ids }, { n: table.shape[0]! }, ["table"]);
    },
  },
  {
    kernelName: "GradlabGelu",
    inputsToSave: ["x"],
    gradFunc: (dy, saved, attributes) =>
      named("GradlabGeluGrad", { dy: dy as Tensor, x: saved[0]! }, attributes, ["x"]),
  },
  {
    kernelName: "GradlabGru",
    inputsToSave: ["recurrent", "h"],
    outputsToSave: [true, true],
    gradFunc: (dys, saved, attributes) => {
      const [dOutputs] = dys as Tensor[];
      const [recurrent, h, outputs, activations] = saved;
      const inputs = { dOutputs, recurrent, h, outputs, activations };
      const names = ["gates", "recurrent", "recurrentBias", "h"];
      return named("GradlabGruGrad", inputs as Record<string, Tensor>, attributes, names);
    },
  },
  {
    kernelName: "GradlabLayerNorm",
    inputsToSave: ["x", "scale"],
    gradFunc: (dy, saved, attributes) => {
      const [x, scale] = saved as [Tensor, Tensor];
      const names = ["x", "scale", "offset"];
      return named("GradlabLayerNormGrad", { dy: dy as Tensor, x, scale }, attributes, names);
    },
  },
  {
    kernelName: "GradlabLstm",
    inputsToSave: ["recurrent", "h", "c"],
    outputsToSave: [true, true, true],
    gradFunc: (dys, saved, attributes) => {
      const [dOutputs, dCells] = dys as Tensor[];
      const [recurrent, h, c, outputs, cells, activations] = saved;
      const inputs = { dOutputs, dCells, recurrent, h, c, outputs, cells, activations };
      const names = ["gates", "recurrent", "h", "c"];
      return named("GradlabLstmGrad", inputs as Record<string, Tensor>, attributes, names);
    },
  },
];

function batchNorm(
  kernel: string,
  [dy, dMean, dVariance]: readonly Tensor[],
  saved: Readonly<Record<string, Tensor | undefined>>,
  attributes: NamedAttrMap,
) {
  const inputs = { dy, dMean, dVariance, ...saved } as Record<string, Tensor>;
  return named(kernel, inputs, attributes, ["x", "scale", "offset"]);
}

/**
 * The outputs of a backward kernel by the names of the inputs that they are the gradients of. Run here and not when the
 * first is asked for: tfjs asks for each in a `tidy` of its own, which would dispose the others.
 */
function named(
  kernel: string,
  inputs: Record<string, Tensor>,
  attributes: NamedAttrMap,
  names: readonly string[],
): Record<string, () => Tensor> {
  const result: Tensor | Tensor[] = engine().runKernel(kernel, inputs, attributes);
  const outputs = Array.isArray(result) ? result : [result];
  return Object.fromEntries(names.map((name, i) => [name, () => outputs[i]!]));
}
