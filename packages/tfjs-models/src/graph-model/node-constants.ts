import { conversionRefusal } from "../json-fields.js";

/**
 * An entry of a constant: its value where that is known, and where it was
 * computed from the size of an axis, `factor · size + plus`, so that a resize
 * by a factor is told from one to a fixed size.
 */
export interface Entry {
  readonly value: number | null;
  readonly of?: { readonly axis: string; readonly factor: number; readonly plus: number };
}

/** A tensor that does not depend on the pixels. Its entries are read only when somebody needs them. */
export interface Constant {
  /** Null where it is not known. */
  readonly shape: readonly number[] | null;
  /** @throws {RangeError} when the entries are not known; names the constant. */
  entries(reader: string): readonly Entry[];
}

/** What a node is given: constants, by position. */
export interface ConstantNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly Constant[];
  /** The attributes that the arithmetic of shapes needs. */
  readonly mask: (key: string) => number;
}

/** Computes the few operations with which graphs compute shapes; anything else is a constant of unknown value. */
export function constantOf(node: ConstantNode): Constant {
  const compute = computations.get(node.op);
  const [first] = node.inputs;
  return {
    shape: keepsShape.has(node.op) ? (first?.shape ?? null) : null,
    entries: (reader) => {
      if (compute !== undefined && first !== undefined) return compute(node, reader);
      throw conversionRefusal(reader, "a constant of known value", `"${node.name}" (${node.op})`);
    },
  };
}

type Compute = (node: ConstantNode, reader: string) => readonly Entry[];

const keepsShape: ReadonlySet<string> = new Set(["Identity", "Cast", "StopGradient", "Snapshot"]);

const same: Compute = ({ inputs }, reader) => inputs[0]!.entries(reader);

const joined: Compute = ({ inputs }, reader) => inputs.flatMap((input) => input.entries(reader));

const arithmetic =
  (apply: (a: Entry, b: Entry) => Entry): Compute =>
  ({ inputs }, reader) => {
    const [a, b] = inputs.map((input) => input.entries(reader)) as [readonly Entry[], readonly Entry[]];
    const length = Math.max(a.length, b.length);
    return Array.from({ length }, (_, i) => apply(a[a.length === 1 ? 0 : i]!, b[b.length === 1 ? 0 : i]!));
  };

const multiply = arithmetic((a, b) => {
  const value = a.value === null || b.value === null ? null : a.value * b.value;
  const [scaled, factor] = a.of ? [a.of, b] : [b.of, a];
  if (!scaled || factor.of || factor.value === null) return { value };
  const { value: by } = factor;
  return { value, of: { axis: scaled.axis, factor: scaled.factor * by, plus: scaled.plus * by } };
});

const add = (sign: 1 | -1) =>
  arithmetic((a, b) => {
    const value = a.value === null || b.value === null ? null : a.value + sign * b.value;
    const [moved, by] = a.of
      ? [a.of, sign * (b.value ?? Number.NaN)]
      : [sign === 1 ? b.of : undefined, a.value];
    if (!moved || by === null || Number.isNaN(by) || (a.of && b.of)) return { value };
    return { value, of: { ...moved, plus: moved.plus + by } };
  });

/** `x[begin:end:stride]` of a list; masks say which bounds are left open. */
const stridedSlice: Compute = ({ inputs, mask }, reader) => {
  const list = inputs[0]!.entries(reader);
  const [begin, end, stride] = inputs.slice(1).map((input) => input.entries(reader)[0]?.value ?? null);
  const step = stride ?? 1;
  const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + list.length : at, 0), list.length);
  const from = mask("begin_mask") & 1 ? 0 : clamp(begin ?? 0);
  if (mask("shrink_axis_mask") & 1) return list.slice(from, from + 1);
  const to = mask("end_mask") & 1 ? list.length : clamp(end ?? list.length);
  return list.slice(from, Math.max(from, to)).filter((_, i) => i % Math.max(step, 1) === 0);
};

const gather: Compute = ({ inputs }, reader) => {
  const list = inputs[0]!.entries(reader);
  return inputs[1]!.entries(reader).map(({ value }) => list[value ?? -1] ?? { value: null });
};

const product: Compute = ({ inputs }, reader) => {
  const values = inputs[0]!.entries(reader).map(({ value }) => value);
  return [{ value: values.includes(null) ? null : values.reduce<number>((a, b) => a * b!, 1) }];
};

const computations: ReadonlyMap<string, Compute> = new Map<string, Compute>([
  ...["Identity", "Cast", "StopGradient", "Snapshot", "Reshape", "Squeeze", "ExpandDims"].map(
    (op): [string, Compute] => [op, same],
  ),
  ["Pack", joined],
  // The last input is the axis: lists have only one.
  ["ConcatV2", (node, reader) => joined({ ...node, inputs: node.inputs.slice(0, -1) }, reader)],
  ["Mul", multiply],
  ["Add", add(1)],
  ["AddV2", add(1)],
  ["Sub", add(-1)],
  ["StridedSlice", stridedSlice],
  ["GatherV2", gather],
  ["Prod", product],
]);
