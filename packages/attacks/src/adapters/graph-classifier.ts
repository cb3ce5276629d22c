import { type Tensor, tidy } from "@tensorflow/tfjs-core";
import { type Bounds, type Classifier, expectBounds } from "../classifier.js";
import { typeMismatch } from "../expect-argument.js";
import { expectInteger } from "../expect-values.js";

/** What is used of a `GraphModel`. */
export interface GraphModelLike {
  execute(x: Tensor, output: string): Tensor | Tensor[];
}

export interface GraphClassifierOptions {
  /** What images lie between, `[0, 1]` unless given. */
  readonly bounds?: Bounds;
  readonly classes: number;
  /** The nodes of the graph: `modelTopology.node` of its `model.json`. */
  readonly nodes: readonly GraphNode[];
  /** The node that gives the scores. */
  readonly output: string;
}

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
}

const passing = new Set(["Identity", "Reshape", "Squeeze", "StopGradient", "Snapshot"]);
const linear = new Set(["MatMul", "_FusedMatMul", "BiasAdd", "Add", "AddV2", "Mean"]);

/**
 * A `GraphModel` of tfjs for attacks: without the softmax at its end, which is found by going back from the output.
 *
 * @param whole Borrowed, as long as the classifier is used.
 * @throws {TypeError | RangeError} when what stands before the output is neither a softmax nor linear: it says what to do.
 */
export function graphClassifier(whole: GraphModelLike, options: GraphClassifierOptions): Classifier {
  const caller = "graphClassifier";
  const { bounds = [0, 1], classes, nodes, output } = options;
  if (typeof whole?.execute !== "function")
    throw typeMismatch(`${caller}: whole`, "a GraphModel of tfjs", whole);
  if (!Array.isArray(nodes)) throw typeMismatch(`${caller}: nodes`, "the nodes of the graph", nodes);
  expectBounds(`${caller}: bounds`, bounds);
  expectInteger(`${caller}: classes`, classes, 2);
  const known = new Map(nodes.map((node) => [node.name, node]));
  const named = (name: string) => known.get(name.replace(/^\^/, "").replace(/:\d+$/, ""));
  let node = named(output);
  if (node === undefined) {
    throw new RangeError(`${caller}: output: expected a node of the graph, got ${JSON.stringify(output)}`);
  }
  while (passing.has(node.op)) {
    const before: GraphNode | undefined = named(node.input?.[0] ?? "");
    if (before === undefined) break;
    node = before;
  }
  const logits = node.op === "Softmax" ? node.input![0]! : linear.has(node.op) ? output : null;
  if (logits === null) {
    throw new RangeError(
      `${caller}: output: expected a softmax or linear scores at the end, got ${node.op} ${JSON.stringify(node.name)}: name the node that comes before the last activation`,
    );
  }
  return { bounds, classes, logits: (x) => tidy(() => [whole.execute(x, logits)].flat()[0]!) };
}
