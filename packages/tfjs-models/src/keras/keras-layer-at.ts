import { type Dim, type Feature, isChannels, type Refuse, showDims } from "../dims.js";
import type { GraphDraft } from "../graph-draft.js";
import { Fields, snakeCase } from "../json-fields.js";

/** A call of a layer, with what it reads; null for a tensor that does not depend on the chosen input. */
export interface LayerAt {
  readonly draft: GraphDraft;
  readonly name: string;
  readonly className: string;
  readonly config: Fields;
  readonly inputs: readonly (Feature | null)[];
  readonly refuse: Refuse;
}

/** Adds what a class of layers does to the graph, and returns its output. */
export type Convert = (at: LayerAt) => Feature;

/** The tensor that a layer with one input reads. */
export function onlyInput(at: LayerAt): Feature {
  const [feature] = at.inputs;
  if (at.inputs.length !== 1 || !feature) return at.refuse("one input", `${at.inputs.length}`);
  return feature;
}

/** Softmax over anything but channels mixes positions. */
export function checkActivation(at: LayerAt, dims: readonly Dim[], feature: Feature): void {
  const fn = activationOf(at);
  if (fn !== "softmax" && fn !== "log_softmax") return;
  const last = dims[dims.length - 1];
  if (!isChannels(last) && last !== "one") at.refuse(`${fn} over channels`, showDims({ ...feature, dims }));
}

/** The name of an activation: Keras writes `"relu"`, or an object around the name or the class. */
export function activationOf(at: LayerAt): string | null {
  const value = at.config.get("activation");
  if (value === undefined) return null;
  if (typeof value === "string") return snakeCase(value);
  const fields = new Fields(value, `${at.config.where}: activation`);
  const inner = fields.get("config");
  return snakeCase(typeof inner === "string" ? inner : fields.text("class_name"));
}
