/**
 * A network as plain data: what each layer does to the grid of positions.
 *
 * Every spatial field is a number (the same along every axis) or one entry per
 * axis, in the order y, x (z, y, x in 3-D; a single axis in 1-D). `inputs`
 * names the layers read from and defaults to the layer before; the input of
 * the network is named `"input"`. Layers may be listed in any order.
 */
export interface LayerGraph {
  readonly input: GraphInput;
  readonly layers: readonly Layer[];
}

export interface GraphInput {
  /** Size of the input in pixels along every axis; null where it is not known. Its length is the number of axes. */
  readonly shape: readonly (number | null)[];
  /** Number of input channels. Receptive fields do not depend on it. */
  readonly channels?: number;
}

/** One value for every axis, or one per axis. */
export type PerAxis<T> = T | readonly T[];

/** Units added before and after; negative ones crop. */
export type AxisPadding = number | readonly [begin: number, end: number];

/**
 * A number; or one entry per axis, each a number or `[begin, end]`; or
 * TensorFlow's `"same"` (as many outputs as `ceil(n / stride)`, the odd unit of
 * padding at the end, so that it depends on the size) or `"valid"` (none).
 */
export type Padding = number | readonly AxisPadding[] | "same" | "valid";

interface LayerBase {
  readonly name: string;
  /** Names of the layers read from; the layer before (or `"input"`) when left out. */
  readonly inputs?: readonly string[];
}

/** A window that slides over the input: convolution (grouped and depthwise ones too). */
export interface ConvLayer extends LayerBase {
  readonly op: "conv";
  readonly kernel: PerAxis<number>;
  /** Default 1. */
  readonly stride?: PerAxis<number>;
  /** Distance between taps, default 1. */
  readonly dilation?: PerAxis<number>;
  /** Default 0. */
  readonly padding?: Padding;
  /** Round the output size up instead of down (a window must still start inside the input or its begin padding). */
  readonly ceilMode?: boolean;
  readonly filters?: number;
  readonly groups?: number;
  readonly bias?: boolean;
}

/** Max or average pooling over a window. */
export interface PoolLayer extends LayerBase {
  readonly op: "pool";
  readonly mode?: "max" | "avg";
  readonly kernel: PerAxis<number>;
  /** Default: the kernel. */
  readonly stride?: PerAxis<number>;
  readonly dilation?: PerAxis<number>;
  readonly padding?: Padding;
  readonly ceilMode?: boolean;
}

/** Pooling to a fixed number of outputs: unit i covers `floor(i n/m) … ceil((i+1) n/m) − 1`. */
export interface AdaptivePoolLayer extends LayerBase {
  readonly op: "adaptive-pool";
  readonly mode?: "max" | "avg";
  readonly outputSize: PerAxis<number>;
}

/** Pooling over everything, one output. */
export interface GlobalPoolLayer extends LayerBase {
  readonly op: "global-pool";
  readonly mode?: "max" | "avg";
}

/** Transposed convolution: output `i = stride · k + dilation · t − begin`, for input k and tap t. */
export interface TransposedConvLayer extends LayerBase {
  readonly op: "transposed-conv";
  readonly kernel: PerAxis<number>;
  readonly stride?: PerAxis<number>;
  readonly dilation?: PerAxis<number>;
  /** What a convolution of the opposite direction would pad; crops the output. */
  readonly padding?: Padding;
  /** Units added at the end of the output, default 0. */
  readonly outputPadding?: PerAxis<number>;
  readonly filters?: number;
  readonly groups?: number;
  readonly bias?: boolean;
}

/**
 * Resampling, by a factor (`scale` = output/input) or to a size.
 *
 * `coordinates` says where output unit v looks: `"half-pixel"` at
 * `(v + ½)·n/m − ½`, `"asymmetric"` at `v·n/m`, `"align-corners"` at
 * `v·(n−1)/(m−1)`. Default: half-pixel for bilinear, asymmetric for nearest.
 */
export interface ResizeLayer extends LayerBase {
  readonly op: "resize";
  readonly scale?: PerAxis<number>;
  readonly size?: PerAxis<number>;
  readonly method?: "nearest" | "bilinear";
  readonly coordinates?: "half-pixel" | "asymmetric" | "align-corners";
}

/** Units added around the input, or cut away where negative. */
export interface PadLayer extends LayerBase {
  readonly op: "pad";
  readonly padding: number | readonly AxisPadding[];
  /** What stands in the padding: constants (default), or mirrored or repeated units. */
  readonly mode?: "constant" | "reflect" | "symmetric" | "edge";
}

/**
 * Anything that works position by position: activations, inference batch norm, dropout, LRN across channels.
 *
 * Receptive fields do not depend on the fields after `op`; what computes the network reads those that its `fn` has.
 */
export interface PointwiseLayer extends LayerBase {
  readonly op: "pointwise";
  /** Such as `"relu"`, `"sigmoid"`, `"relu6"`, `"batch-norm"`, `"dropout"`, `"lrn"`. */
  readonly fn?: string;
  /** Batch norm: what is added to the variance. */
  readonly epsilon?: number;
  /** Batch norm: the weight of a new batch in the running statistics. */
  readonly momentum?: number;
  /** Dropout: the share of units set to 0. */
  readonly rate?: number;
  /** LRN: how many neighbouring channels are summed, in `x / (k + alpha · Σ x²)^beta`. */
  readonly size?: number;
  readonly alpha?: number;
  readonly beta?: number;
  readonly k?: number;
}

/** Branches joined position by position; an input of size 1 is broadcast, except by `concat`. */
export interface MergeLayer extends LayerBase {
  readonly op: "add" | "multiply" | "concat" | "merge";
  /** What `merge` does: `"maximum"`, `"average"`, `"subtract"`, … */
  readonly fn?: string;
}

/** Positions laid out in a row; each still sees what it saw. Only pointwise, flatten and dense layers may follow. */
export interface FlattenLayer extends LayerBase {
  readonly op: "flatten";
}

/** Every output sees every position. */
export interface DenseLayer extends LayerBase {
  readonly op: "dense";
  readonly units?: number;
  readonly bias?: boolean;
}

export type Layer =
  | ConvLayer
  | PoolLayer
  | AdaptivePoolLayer
  | GlobalPoolLayer
  | TransposedConvLayer
  | ResizeLayer
  | PadLayer
  | PointwiseLayer
  | MergeLayer
  | FlattenLayer
  | DenseLayer;

export type LayerOp = Layer["op"];

/** The name by which layers refer to the input of the network. */
export const graphInputName = "input";
