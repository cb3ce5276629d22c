import type { Tensor } from "@tensorflow/tfjs-core";
import type fc from "fast-check";
import type { Grid } from "./grid.js";

/** An input of a case. */
export interface Input {
  readonly shape: readonly number[];
  readonly dtype?: "float32" | "int32" | "bool";
  readonly values: readonly number[];
}

/** One call of an op: plain data, so that it can be pasted into a test. */
export interface GeometryCase {
  readonly inputs: readonly Input[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

// biome-ignore lint/suspicious/noExplicitAny: every op has attributes of its own and inputs of its own ranks
type Any = any;

/** An op three times: cases that tfjs allows, the call of tfjs, and what it should give. */
export interface GeometryOp {
  readonly name: string;
  readonly cases: fc.Arbitrary<GeometryCase>;
  readonly tfjs: (inputs: Any[], attrs: Any) => Tensor | Tensor[];
  readonly definition: (inputs: Grid[], attrs: Any) => Grid | Grid[];
  /** Some inputs lie where the op has a kink: any slope between those of the two sides passes. */
  readonly kinks?: boolean;
  /** The inputs to differentiate, if not all that are float32. */
  readonly wrt?: readonly number[];
  /** Why there is no gradient to check. */
  readonly noGradient?: string;
  /** The op is checked in its second derivatives too. */
  readonly second?: true;
  /** The backends that can compute it, if not all, and why. */
  readonly on?: readonly string[];
  readonly because?: string;
  /** What the generator leaves out, and where tfjs says that it is not allowed. */
  readonly leavesOut?: readonly string[];
}

/** The same op of tensors without elements; their second derivatives would say nothing new. */
export const ofEmpty = ({ second: _, ...op }: GeometryOp, cases: GeometryOp["cases"]): GeometryOp => ({
  ...op,
  name: `${op.name} of empty tensors`,
  cases,
});
