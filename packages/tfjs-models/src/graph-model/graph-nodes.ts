import { conversionError, conversionRefusal, Fields, isRecord } from "../json-fields.js";

/** A node of a TensorFlow graph. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** The tensors read, without control inputs. */
  readonly inputs: readonly TensorName[];
  readonly attributes: NodeAttributes;
}

export interface TensorName {
  readonly node: string;
  readonly output: number;
}

/** `node`, `node:0` or `node:1`. */
export function tensorName(text: string): TensorName {
  const [, node, output] = /^(.*?)(?::(\d+))?$/s.exec(text)!;
  return { node: node!, output: Number(output ?? 0) };
}

/** The nodes of a topology by name. */
export function graphNodes(topology: Fields, caller: string): ReadonlyMap<string, GraphNode> {
  const nodes = new Map<string, GraphNode>();
  topology.list("node").forEach((json, index) => {
    const at = new Fields(json, `${caller}: modelTopology.node[${index}]`);
    const name = at.text("name");
    const op = at.text("op");
    const fields = new Fields(json, `${caller}: node "${name}" (${op})`);
    if (nodes.has(name)) fields.fail("name", "a name used once", name);
    const given = fields.get("input") === undefined ? [] : fields.list("input");
    const inputs = given.map((input) =>
      typeof input === "string" ? input : fields.fail("input", "names", input),
    );
    nodes.set(name, {
      name,
      op,
      inputs: inputs.filter((input) => !input.startsWith("^")).map(tensorName),
      attributes: new NodeAttributes(fields.get("attr") ?? {}, fields.where),
    });
  });
  return nodes;
}

/** Reads the attributes of a node: `{s: base64}`, `{i: "3"}`, `{b: true}`, `{list: {i: ["1", "2"]}}`, `{shape: {dim: […]}}`. */
export class NodeAttributes {
  private readonly fields: Fields;

  constructor(json: unknown, where: string) {
    this.fields = new Fields(json, where);
  }

  private value(key: string): Fields | null {
    if (!Object.hasOwn(this.fields.json, key)) return null;
    return new Fields(this.fields.json[key], `${this.fields.where}: ${key}`);
  }

  fail(key: string, expected: string, got: unknown): never {
    return this.fields.fail(key, expected, got);
  }

  /** Whole numbers, also written as texts. */
  integers(key: string, fallback?: readonly number[]): readonly number[] {
    const value = this.value(key);
    const list = value?.get("list") === undefined ? undefined : value.fields("list").get("i");
    if (list === undefined) return fallback ?? this.fail(key, "a list of integers", value?.json);
    if (!Array.isArray(list)) return this.fail(key, "a list of integers", list);
    return list.map((one: unknown) => {
      const number = typeof one === "string" && one !== "" ? Number(one) : one;
      return Number.isSafeInteger(number) ? (number as number) : this.fail(key, "integers", one);
    });
  }

  integer(key: string, fallback?: number): number {
    const given = this.value(key)?.get("i") ?? fallback;
    const number = typeof given === "string" && given !== "" ? Number(given) : given;
    return Number.isSafeInteger(number) ? (number as number) : this.fail(key, "an integer", given);
  }

  flag(key: string): boolean {
    const value = this.value(key)?.get("b") ?? false;
    return typeof value === "boolean" ? value : this.fail(key, "true or false", value);
  }

  /** One of a few words, plain or in base64 (or as character codes). */
  word<Word extends string>(key: string, words: readonly Word[], fallback?: Word): Word {
    const given = this.value(key)?.get("s") ?? fallback;
    const texts = textForms(given);
    return (
      words.find((word) => texts.includes(word)) ?? this.fail(key, words.join(" or "), texts.at(-1) ?? given)
    );
  }

  /** True where a list of texts has the word. */
  lists(key: string, word: string): boolean {
    const value = this.value(key);
    const list = value?.get("list") === undefined ? [] : (value.fields("list").get("s") ?? []);
    return Array.isArray(list) && list.some((text) => textForms(text).includes(word));
  }

  /** The shape under `key`, null for an unknown size; null as a whole where the rank is unknown. */
  shape(key: string): readonly (number | null)[] | null {
    const value = this.value(key);
    return value === null ? null : tensorShape(value.get("shape"), value.where);
  }

  /** The shape of the constant in `value`. */
  constantShape(): readonly number[] | null {
    const tensor = this.value("value")?.get("tensor");
    if (!isRecord(tensor)) return null;
    const shape = tensorShape(new Fields(tensor, this.fields.where).get("tensor_shape"), this.fields.where);
    return shape?.every((size) => size !== null) ? (shape as number[]) : null;
  }
}

/** `{dim: [{size: "-1"}, {size: "224"}]}`. */
export function tensorShape(json: unknown, where: string): readonly (number | null)[] | null {
  if (json === undefined) return null;
  const fields = new Fields(json, `${where}: shape`);
  if (fields.get("unknown_rank") === true) return null;
  if (fields.get("dim") === undefined) return [];
  return fields.list("dim").map((dim) => {
    const size = Number(new Fields(dim, fields.where).get("size") ?? 0);
    if (!Number.isSafeInteger(size)) throw conversionError(fields.where, "integers as sizes", size);
    return size < 0 ? null : size;
  });
}

/** What a text attribute may mean: as it stands, and decoded from base64. */
function textForms(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.length < 64 && value.every((code) => Number.isInteger(code))
      ? [String.fromCharCode(...(value as number[]))]
      : [];
  }
  if (typeof value !== "string") return [];
  try {
    return [value, atob(value.trim())];
  } catch {
    return [value];
  }
}

/** Where a loop goes on: what it reads is computed after what reads it. */
export const isBackEdge = (from: GraphNode | undefined): boolean => from?.op === "NextIteration";

/**
 * Inputs of a node before the node, from the wanted ends; iterative, so that depth does not matter. The body of a loop
 * comes after its begin.
 */
export function orderedNodes(
  nodes: ReadonlyMap<string, GraphNode>,
  ends: readonly string[],
  caller: string,
): GraphNode[] {
  const order: GraphNode[] = [];
  const done = new Set<string>();
  const waiting = new Set<string>();
  const next: { node: GraphNode; input: number }[] = [];
  const enter = (name: string, reader: string): void => {
    const node = nodes.get(name);
    if (node === undefined) throw conversionError(reader, "inputs that are nodes of the graph", name);
    waiting.add(name);
    next.push({ node, input: 0 });
  };
  const wanted = [...ends];
  for (let end = wanted.shift(); end !== undefined; end = wanted.shift()) {
    if (!done.has(end)) enter(end, `${caller}: outputs`);
    while (next.length > 0) {
      const top = next[next.length - 1]!;
      const { node } = top;
      const input = node.inputs[top.input++]?.node;
      const where = `${caller}: node "${node.name}" (${node.op})`;
      if (input === undefined) {
        next.pop();
        done.add(node.name);
        order.push(node);
      } else if (isBackEdge(nodes.get(input))) {
        wanted.push(input);
      } else if (!done.has(input)) {
        if (waiting.has(input)) throw conversionRefusal(where, "no cycle", `one through "${input}"`);
        enter(input, where);
      }
    }
  }
  return order;
}
