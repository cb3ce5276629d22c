import { engine, type Tensor } from "@tensorflow/tfjs-core";

/** tfjs's name of a backend whose kernels are repaired here; `tensorflow` is tfjs-node's. */
export type RepairedBackend = "cpu" | "webgl" | "webgpu" | "tensorflow";

export type Inputs = Readonly<Record<string, Tensor>>;

// biome-ignore lint/suspicious/noExplicitAny: every kernel has attributes of its own
export type Attrs = any;

/**
 * Another way to compute a kernel for arguments that the original gets wrong. Ops that are called in a kernel are
 * neither taped nor differentiated.
 */
export interface Repair {
  readonly kernelName: string;
  readonly backends: readonly RepairedBackend[];
  /** The result by other ops, or null where the original is right. */
  readonly compute?: (inputs: Inputs, attrs: Attrs) => Tensor | null;
  /** What the original is given instead of its attributes. */
  readonly attrs?: (inputs: Inputs, attrs: Attrs) => Attrs;
}

export const everywhere: readonly RepairedBackend[] = ["cpu", "webgl", "webgpu"];

/** Whether a convolution is one of `conv1d`, of which a kernel has no other sign: its image is one row, which is not padded above. */
export const isRowOfConv1d = (): boolean =>
  engine().state.scopeStack.some(({ name }) => name === "conv1d__op");
