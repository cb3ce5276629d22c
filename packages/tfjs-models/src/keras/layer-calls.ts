import { unusedName } from "../graph-draft.js";
import { conversionRefusal, Fields, isRecord } from "../json-fields.js";
import {
  functionalWiring,
  isNestedModel,
  type LayerEntry,
  type Reference,
  referenceKey,
  wayFromKeras3,
} from "./keras-wiring.js";

/** One use of a Keras layer: nested models are inlined, a shared layer has one call per use. */
export interface LayerCall {
  /** `outer/inner` for a layer of a nested model; further calls of a layer end in `_1`, `_2`, … */
  readonly name: string;
  readonly className: string;
  readonly config: Fields;
  /** Indices of the calls read from. */
  readonly inputs: readonly number[];
  /** Which output of each of them: 0, but for the states of a recurrent layer. */
  readonly tensors: readonly number[];
}

/** An output of a call. */
interface Wire {
  readonly call: number;
  readonly tensor: number;
}

export interface LayerCalls {
  /** In an order of computation. */
  readonly calls: readonly LayerCall[];
  readonly outputs: readonly number[];
}

const mostCalls = 100_000;
const deepestNesting = 40;

/**
 * The calls of a model topology `{class_name, config}`.
 *
 * @param isWhole Also layers that no output needs.
 * @throws {TypeError | RangeError} naming the layer whose description or wiring is wrong.
 */
export function layerCalls(topology: Fields, caller: string, isWhole = false): LayerCalls {
  const reader = new CallReader(caller, isWhole);
  const outputs = reader.expand(topology, "", false, null, 0);
  return { calls: reader.named(), outputs: outputs.map(({ call }) => call) };
}

class CallReader {
  private readonly caller: string;
  private readonly isWhole: boolean;
  private readonly calls: (LayerCall & { readonly isCopy: boolean })[] = [];

  constructor(caller: string, isWhole: boolean) {
    this.caller = caller;
    this.isWhole = isWhole;
  }

  /** First calls keep their names; the names of further ones give way. */
  named(): LayerCall[] {
    const taken = new Set<string>();
    const names: string[] = [];
    for (const copies of [false, true]) {
      this.calls.forEach(({ name, isCopy }, index) => {
        if (isCopy !== copies) return;
        names[index] = unusedName(name, taken);
        taken.add(names[index]);
      });
    }
    return this.calls.map(({ className, config, inputs, tensors }, index) => {
      return { name: names[index]!, className, config, inputs, tensors };
    });
  }

  /**
   * Adds the calls of a model and returns its outputs.
   *
   * @param inputs What the model is called on; null for the outermost model, which has input layers of its own.
   */
  expand(
    model: Fields,
    path: string,
    isCopy: boolean,
    inputs: readonly Wire[] | null,
    depth: number,
  ): readonly Wire[] {
    if (depth > deepestNesting) {
      throw conversionRefusal(model.where, `at most ${deepestNesting} nested models`, "more");
    }
    return model.text("class_name") === "Sequential"
      ? this.expandSequential(model, path, isCopy, inputs, depth)
      : this.expandFunctional(model, path, isCopy, inputs, depth);
  }

  private add(
    name: string,
    isCopy: boolean,
    entry: Pick<LayerEntry, "className" | "fields">,
    wires: readonly Wire[],
  ): Wire {
    if (this.calls.length >= mostCalls) {
      throw conversionRefusal(`${this.caller}: model`, `at most ${mostCalls} layers`, "more");
    }
    const { className, fields } = entry;
    const where = `${this.caller}: layer "${name}" (${className})`;
    const config = new Fields(fields.get("config") ?? {}, where);
    if (this.isWhole && className === "InputLayer" && config.get("batch_input_shape") === undefined) {
      if (config.get("batch_shape") === undefined) config.fail("batch_input_shape", "a shape", undefined);
      throw conversionRefusal(
        where,
        "batch_input_shape, as tfjs and Keras 2 write it",
        `batch_shape of Keras 3 ${wayFromKeras3}`,
      );
    }
    const inputs = wires.map(({ call }) => call);
    const tensors = wires.map(({ tensor }) => tensor);
    return { call: this.calls.push({ name, isCopy, className, config, inputs, tensors }) - 1, tensor: 0 };
  }

  private expandSequential(
    model: Fields,
    path: string,
    isCopy: boolean,
    inputs: readonly Wire[] | null,
    depth: number,
  ): readonly Wire[] {
    const config = model.get("config");
    const settings = isRecord(config) ? model.fields("config") : null;
    const entries = this.entries(settings === null ? model.list("config") : settings.list("layers"), model);
    if (inputs !== null && inputs.length !== 1) {
      throw conversionRefusal(model.where, "one input of a Sequential model", `${inputs.length} inputs`);
    }
    let current = inputs?.[0] ?? null;
    for (const [index, entry] of entries.entries()) {
      const name = path + entry.name;
      if (entry.className === "InputLayer") {
        if (index > 0)
          throw conversionRefusal(entry.fields.where, "an InputLayer at the begin", `layer ${index + 1}`);
        current ??= this.add(name, isCopy, entry, []);
        continue;
      }
      if (isNestedModel(entry)) {
        const nested = current === null ? null : [current];
        current = this.only(this.expand(entry.fields, `${name}/`, isCopy, nested, depth + 1), entry);
        continue;
      }
      current ??= this.addInput(name, isCopy, entry, settings);
      current = this.add(name, isCopy, entry, [current]);
    }
    if (current === null) throw conversionRefusal(model.where, "at least one layer", "none");
    return [current];
  }

  /** A Sequential model without an InputLayer has the input's shape on its first layer (or on itself). */
  private addInput(name: string, isCopy: boolean, entry: LayerEntry, model: Fields | null): Wire {
    const shape =
      new Fields(entry.fields.get("config") ?? {}, entry.fields.where).get("batch_input_shape") ??
      model?.get("build_input_shape");
    if (shape === undefined) entry.fields.fail("batch_input_shape", "the shape of the model's input", shape);
    const fields = new Fields({ config: { batch_input_shape: shape } }, entry.fields.where);
    return this.add(`${name}_input`, isCopy, { className: "InputLayer", fields }, []);
  }

  private only(outputs: readonly Wire[], entry: LayerEntry): Wire {
    if (outputs.length === 1) return outputs[0]!;
    throw conversionRefusal(entry.fields.where, "a model with one output", `${outputs.length} outputs`);
  }

  private expandFunctional(
    model: Fields,
    path: string,
    isCopy: boolean,
    inputs: readonly Wire[] | null,
    depth: number,
  ): readonly Wire[] {
    const config = model.fields("config");
    const wiring = functionalWiring(config, this.entries(config.list("layers"), model), this.isWhole);
    if (inputs !== null && inputs.length !== wiring.inputs.length) {
      throw conversionRefusal(model.where, `${wiring.inputs.length} inputs`, `${inputs.length}`);
    }
    const tensors = new Map<string, readonly Wire[]>();
    const tensorOf = (reference: Reference, reader: Fields): Wire =>
      tensors.get(referenceKey(reference))![reference.tensor] ??
      reader.fail("inputs", `an output that "${reference.layer}" has`, reference.tensor);
    for (const { entry, node, reads } of wiring.calls) {
      const from = reads.map((reference) => tensorOf(reference, entry.fields));
      const name = path + entry.name + (node > 0 ? `_${node}` : "");
      const isFurther = isCopy || node > 0;
      const given =
        entry.className === "InputLayer" ? inputs?.[wiring.inputs.indexOf(entry.name)] : undefined;
      let outputs: readonly Wire[];
      if (given !== undefined) outputs = [given];
      else if (isNestedModel(entry))
        outputs = this.expand(entry.fields, `${name}/`, isFurther, from, depth + 1);
      else outputs = outputsOf(entry, this.add(name, isFurther, entry, from));
      tensors.set(referenceKey({ layer: entry.name, node }), outputs);
    }
    return wiring.outputs.map((reference) => tensorOf(reference, config));
  }

  /** Names and classes of the layers of a model. */
  private entries(layers: readonly unknown[], model: Fields): LayerEntry[] {
    const names = new Set<string>();
    return layers.map((json, index) => {
      const at = new Fields(json, `${model.where}: layers[${index}]`);
      const className = at.text("class_name");
      const given =
        at.get("name") ?? (isRecord(at.get("config")) ? at.fields("config").get("name") : undefined);
      if (typeof given !== "string" || given === "") return at.fail("name", "a name", given);
      if (names.has(given)) at.fail("name", "a name used once", given);
      names.add(given);
      return {
        name: given,
        className,
        fields: new Fields(json, `${this.caller}: layer "${given}" (${className})`),
      };
    });
  }
}

/** The most states that a layer returns beside its output. */
const mostStates = 64;

/** A layer that returns its states has them as further outputs. */
function outputsOf({ fields }: LayerEntry, wire: Wire): readonly Wire[] {
  const config = fields.get("config");
  const inner = isRecord(config) && isRecord(config.layer) ? config.layer.config : undefined;
  const returns = [config, inner].some(
    (one) => isRecord(one) && (one.return_state ?? one.returnState) === true,
  );
  return Array.from({ length: returns ? 1 + mostStates : 1 }, (_, tensor) => ({ ...wire, tensor }));
}
