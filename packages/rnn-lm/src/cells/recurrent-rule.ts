import type { Tensor2D } from "@tensorflow/tfjs-core";

/** The recurrent cells by name. */
export type CellName = "lstm" | "gru" | "elman";

/**
 * One step of a recurrent cell and its gradient, in terms of two products that are computed elsewhere: `fromInput`,
 * `x W + b`, of all steps at once, and `fromState`, `h U` (with a bias where the cell has one there), of each step.
 */
export interface RecurrentRule {
  /** How many blocks of h columns the products have: 4 of an LSTM. */
  readonly gates: number;
  /** How many tensors a state is, `[batch, hidden]` each, h first. */
  readonly parts: 1 | 2;
  /** Whether `h U` has a bias of its own, which stands inside of another product. */
  readonly recurrentBias: boolean;
  /** The next state, and what `backward` needs of it. */
  step(
    fromInput: Tensor2D,
    fromState: Tensor2D,
    before: readonly Tensor2D[],
  ): { readonly after: readonly Tensor2D[]; readonly saved: readonly Tensor2D[] };
  /** How many tensors `saved` are. */
  readonly saves: number;
  /**
   * The gradients of the two products, and of the state before apart from what goes through `fromState`; null for a part
   * that matters through it alone.
   *
   * @param dAfter The gradient of each part of the state after.
   */
  backward(
    dAfter: readonly Tensor2D[],
    saved: readonly Tensor2D[],
    before: readonly Tensor2D[],
  ): {
    readonly dInput: Tensor2D;
    readonly dState: Tensor2D;
    readonly dBefore: readonly (Tensor2D | null)[];
  };
}
