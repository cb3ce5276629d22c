import { type Dim, type Feature, placeOf, type Refuse } from "../dims.js";
import type { GraphDraft } from "../graph-draft.js";
import { snakeCase } from "../json-fields.js";
import type { NodeAttributes } from "./graph-nodes.js";
import type { Constant, Entry } from "./node-constants.js";

/** A node that depends on the pixels, with what it reads. */
export interface NodeAt {
  readonly draft: GraphDraft;
  readonly name: string;
  readonly op: string;
  readonly attributes: NodeAttributes;
  readonly inputs: readonly (Feature | Constant)[];
  /** Where the node stands, for messages. */
  readonly where: string;
  readonly refuse: Refuse;
}

/** The outputs of a node; most have one. */
export type Convert = (at: NodeAt) => Feature | readonly Feature[];

export const isFeature = (value: Feature | Constant): value is Feature => "layer" in value;

/** The input at a place, which has to depend on the pixels. */
export function feature(at: NodeAt, place: number): Feature {
  const value = at.inputs[place];
  if (value === undefined) return at.refuse(`an input ${place}`, `${at.inputs.length} inputs`);
  return isFeature(value) ? value : at.refuse(`an input ${place} that depends on the pixels`, "a constant");
}

/** The input at a place, which must not depend on the pixels. */
function constant(at: NodeAt, place: number): Constant {
  const value = at.inputs[place];
  if (value === undefined) return at.refuse(`an input ${place}`, `${at.inputs.length} inputs`);
  return isFeature(value) ? at.refuse(`a constant as input ${place}`, `"${value.layer}"`) : value;
}

/** The shape of a constant, such as a filter. */
export function shapeOf(at: NodeAt, place: number, rank: number): readonly number[] {
  const { shape } = constant(at, place);
  if (shape?.length === rank && shape.every((size) => size > 0)) return shape;
  return at.refuse(
    `a constant of ${rank} dimensions as input ${place}`,
    shape ? `[${shape.join(", ")}]` : "an unknown shape",
  );
}

/** The entries of a constant; throws where they are needed but not known. */
export const entriesOf = (at: NodeAt, place: number): readonly Entry[] =>
  constant(at, place).entries(at.where);

/** The same as integers. */
export function integersOf(at: NodeAt, place: number): number[] {
  return entriesOf(at, place).map(({ value }) => {
    return value !== null && Number.isSafeInteger(value)
      ? value
      : at.refuse(`integers of known value as input ${place}`, `${value ?? "an unknown value"}`);
  });
}

/** Places of dimensions given as a constant, counted from the begin. */
export function placesOf(at: NodeAt, indices: readonly number[], rank: number): number[] {
  return indices.map((index) => placeOf(index, rank) ?? at.refuse(`a dimension of ${rank}`, `${index}`));
}

/** The node as a pointwise layer. */
export function pointwiseOf(at: NodeAt, from: Feature, dims: readonly Dim[], fn = snakeCase(at.op)): Feature {
  return at.draft.add({ name: at.name, op: "pointwise", fn }, [from], dims);
}
