import type { ConvLayer, DenseLayer, Layer, PointwiseLayer, PoolLayer } from "@gradlab/receptive-field";

/*
 * The layers that the networks are written in, with PyTorch's defaults. `from` names the layers that are read, where
 * they are not the layer before.
 */

type ConvOptions = Partial<Pick<ConvLayer, "stride" | "padding" | "groups" | "bias" | "inputs">>;

export function conv(
  name: string,
  filters: number,
  kernel: number,
  { stride = 1, padding = 0, groups = 1, bias = true, inputs }: ConvOptions = {},
): ConvLayer {
  return {
    name,
    op: "conv",
    ...(inputs && { inputs }),
    filters,
    kernel,
    stride,
    padding,
    ...(groups > 1 && { groups }),
    bias,
  };
}

type PoolOptions = Partial<Pick<PoolLayer, "stride" | "padding" | "ceilMode" | "inputs">>;

export function maxPool(name: string, kernel: number, options: PoolOptions = {}): PoolLayer {
  return { name, op: "pool", mode: "max", kernel, stride: 2, ...options };
}

export function averagePool(name: string, kernel: number, options: PoolOptions = {}): PoolLayer {
  return { name, op: "pool", mode: "avg", kernel, stride: 2, ...options };
}

export function activation(name: string, fn: "relu" | "relu6" | "sigmoid"): PointwiseLayer {
  return { name, op: "pointwise", fn };
}

export const relu = (name: string): PointwiseLayer => activation(name, "relu");

export function batchNorm(name: string, epsilon = 1e-5): PointwiseLayer {
  return { name, op: "pointwise", fn: "batch-norm", epsilon, momentum: 0.1 };
}

export function dropout(name: string, rate: number): PointwiseLayer {
  return { name, op: "pointwise", fn: "dropout", rate };
}

export function dense(name: string, units: number): DenseLayer {
  return { name, op: "dense", units, bias: true };
}

export const flatten: Layer = { name: "flatten", op: "flatten" };

/** The average over all positions, `[channels]`. */
export const globalAverage = (name: string): Layer[] => [{ name, op: "global-pool", mode: "avg" }, flatten];
