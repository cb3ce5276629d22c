import { conversionError, conversionRefusal, Fields, isRecord } from "../json-fields.js";

/** A layer as it stands in the list of its model. */
export interface LayerEntry {
  readonly name: string;
  readonly className: string;
  readonly fields: Fields;
}

/** A tensor: an output of a call of a layer. */
export interface Reference {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

/** A call of a layer, and the tensors that it reads. */
interface WiredCall {
  readonly entry: LayerEntry;
  /** Counted from zero. */
  readonly node: number;
  readonly reads: readonly Reference[];
}

export interface FunctionalWiring {
  /** In an order of computation; only what the outputs need, unless the whole is asked for. */
  readonly calls: readonly WiredCall[];
  readonly inputs: readonly string[];
  readonly outputs: readonly Reference[];
}

const deepestLists = 40;

export const referenceKey = ({ layer, node }: Pick<Reference, "layer" | "node">): string =>
  `${node} ${layer}`;

export function isNestedModel({ className, fields }: LayerEntry): boolean {
  if (className === "Sequential" || className === "Functional" || className === "Model") return true;
  const config = fields.get("config");
  return isRecord(config) && Array.isArray(config.layers) && "output_layers" in config;
}

/**
 * The wiring of a Functional model, with calls counted from zero. (Files of
 * Keras 2 and tfjs count the creation of a nested model as its call 0.)
 *
 * @throws {TypeError | RangeError} naming the layer whose inputs do not exist or run in a circle.
 */
export function functionalWiring(
  config: Fields,
  entries: readonly LayerEntry[],
  isWhole = false,
): FunctionalWiring {
  const calls = new Map<string, readonly (readonly Reference[])[]>();
  if (isWhole) {
    for (const { fields } of entries) expectLoadable(fields);
    for (const key of ["input_layers", "output_layers"]) expectReferences(config, key, config.list(key));
  }
  for (const { name, className, fields } of entries) {
    const nodes = fields.get("inbound_nodes") === undefined ? [] : fields.list("inbound_nodes");
    const reads = nodes.map((node) => references(node, fields, "inbound_nodes"));
    calls.set(name, className === "InputLayer" ? [[]] : reads);
  }
  const inputs = references(config.get("input_layers") ?? [], config, "input_layers");
  const outputs = references(config.get("output_layers") ?? [], config, "output_layers");
  if (outputs.length === 0) config.fail("output_layers", "at least one output", config.get("output_layers"));

  const firstCalls = firstCallsOfModels(entries, [...outputs, ...[...calls.values()].flat(2)]);
  const fromZero = (reference: Reference): Reference => {
    const { layer, node } = reference;
    return { ...reference, node: node - (firstCalls.get(layer) ?? 0) };
  };
  const wired = new Map<string, WiredCall>();
  for (const entry of entries) {
    calls.get(entry.name)!.forEach((reads, node) => {
      const call = { entry, node, reads: reads.map(fromZero) };
      wired.set(referenceKey({ layer: entry.name, node }), call);
    });
  }
  const ends = outputs.map(fromZero);
  const needed = isWhole ? [...ends, ...[...wired.values()].map(outputOf)] : ends;
  return {
    calls: computationOrder(wired, needed, config),
    inputs: inputs.map(({ layer }) => layer),
    outputs: ends,
  };
}

/** tfjs looks for layers by what stands beside their class, and waits for ever where that is not what others read. */
function expectLoadable(fields: Fields): void {
  const name = fields.text("name");
  const config = fields.get("config");
  if (isRecord(config) && config.name !== name) fields.fail("config.name", JSON.stringify(name), config.name);
  const nodes = fields.get("inbound_nodes") === undefined ? [] : fields.list("inbound_nodes");
  for (const node of nodes) {
    if (isRecord(node)) {
      throw conversionRefusal(
        `${fields.where}: inbound_nodes`,
        "wiring as tfjs and Keras 2 write it",
        `that of Keras 3 ${wayFromKeras3}`,
      );
    }
    expectReferences(fields, "inbound_nodes", node);
  }
}

/** What to do with a model that tfjs-layers does not load. */
export const wayFromKeras3 =
  "(save the model with tf_keras, or convert it to a graph model: tensorflowjs_converter --output_format=tfjs_graph_model)";

function expectReferences(fields: Fields, key: string, list: unknown): void {
  const isOne = (value: unknown) =>
    Array.isArray(value) && typeof value[0] === "string" && isIndex(value[1]) && isIndex(value[2]);
  if (Array.isArray(list) && list.every(isOne)) return;
  fields.fail(key, 'a list of ["layer", call, output]', list);
}

const outputOf = ({ entry, node }: WiredCall): Reference => ({ layer: entry.name, node, tensor: 0 });

/** The number of the first call of each nested model. All calls are read by something, or they would not be there. */
function firstCallsOfModels(entries: readonly LayerEntry[], read: readonly Reference[]): Map<string, number> {
  const first = new Map<string, number>();
  for (const { layer, node } of read) first.set(layer, Math.min(node, first.get(layer) ?? 1));
  for (const entry of entries) if (!isNestedModel(entry)) first.delete(entry.name);
  return first;
}

/** Depth first with a stack of its own, so that no chain is too long. */
function computationOrder(
  calls: ReadonlyMap<string, WiredCall>,
  ends: readonly Reference[],
  config: Fields,
): WiredCall[] {
  const order: WiredCall[] = [];
  const done = new Set<string>();
  const waiting = new Set<string>();
  const stack: { call: WiredCall; next: number }[] = [];
  const enter = (reference: Reference, reader: Fields): void => {
    const key = referenceKey(reference);
    if (done.has(key)) return;
    if (waiting.has(key))
      throw conversionRefusal(reader.where, "no cycle", `one through "${reference.layer}"`);
    const call = calls.get(key);
    if (call === undefined) {
      const missing = `call ${reference.node} of "${reference.layer}"`;
      throw conversionRefusal(`${reader.where}: inputs`, "calls of layers of the model", missing);
    }
    const { entry, reads } = call;
    if (reads.length === 0 && entry.className !== "InputLayer") {
      entry.fields.fail("inbound_nodes", "inputs", entry.fields.get("inbound_nodes"));
    }
    waiting.add(key);
    stack.push({ call, next: 0 });
  };
  for (const end of ends) {
    enter(end, config);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const { entry, node, reads } = top.call;
      const read = reads[top.next++];
      if (read !== undefined) enter(read, entry.fields);
      else {
        stack.pop();
        done.add(referenceKey({ layer: entry.name, node }));
        order.push(top.call);
      }
    }
  }
  return order;
}

/**
 * All references in a piece of wiring, in order: `["conv1", 0, 0, {}]`
 * (Keras 2) and `{class_name: "__keras_tensor__", config: {keras_history: […]}}`
 * (Keras 3), however they are put in lists and keyword arguments.
 */
function references(json: unknown, fields: Fields, key: string): Reference[] {
  const found: Reference[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (depth > deepestLists) {
      throw conversionRefusal(
        `${fields.where}: ${key}`,
        `lists nested up to ${deepestLists} deep`,
        "deeper ones",
      );
    }
    if (Array.isArray(value)) {
      const [layer, node, tensor] = value as unknown[];
      if (typeof layer === "string" && isIndex(node) && isIndex(tensor)) {
        found.push({ layer, node, tensor });
        visit(value.slice(3), depth + 1);
      } else for (const one of value) visit(one, depth + 1);
    } else if (isRecord(value)) {
      const at = new Fields(value, fields.where);
      if (at.get("class_name") === "__keras_tensor__")
        visit(at.fields("config").get("keras_history"), depth + 1);
      else for (const one of Object.values(value)) visit(one, depth + 1);
    }
  };
  if (typeof json !== "object") throw conversionError(`${fields.where}: ${key}`, "a list", json);
  visit(json, 0);
  return found;
}

const isIndex = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
