import { loadGraphModelSync } from "@tensorflow/tfjs-converter";
import type * as core from "@tensorflow/tfjs-core";

/** The forms in which attributes of nodes are written. */
export const ints = (...values: number[]) => ({ list: { i: values.map(String) } });
export const word = (text: string) => ({ s: btoa(text) });
export const words = (...texts: string[]) => ({ list: { s: texts.map((text) => btoa(text)) } });
export const flag = (b: boolean) => ({ b });

interface Node {
  name: string;
  op: string;
  input?: string[];
  attr: Record<string, unknown>;
}

/** Writes a `model.json` and its weights node by node, in the form of the tfjs converter. */
export class GraphModelFile {
  readonly nodes: Node[] = [];
  private readonly specs: { name: string; shape: number[]; dtype: "int32" | "float32" }[] = [];
  private readonly bytes: number[] = [];
  private readonly outputs: string[] = [];

  constructor(shape: readonly number[]) {
    const dim = shape.map((size) => ({ size: String(size) }));
    this.node("x", "Placeholder", [], { shape: { shape: { dim } }, dtype: { type: "DT_FLOAT" } });
  }

  node(name: string, op: string, input: string[], attr: Record<string, unknown> = {}): string {
    this.nodes.push({
      name,
      op,
      ...(input.length > 0 && { input }),
      attr: { T: { type: "DT_FLOAT" }, ...attr },
    });
    return name;
  }

  private constant(
    name: string,
    shape: number[],
    values: readonly number[],
    dtype: "int32" | "float32",
  ): string {
    const array = dtype === "int32" ? Int32Array.from(values) : Float32Array.from(values);
    this.bytes.push(...new Uint8Array(array.buffer));
    this.specs.push({ name, shape, dtype });
    const tensorShape = { dim: shape.map((size) => ({ size: String(size) })) };
    const type = dtype === "int32" ? "DT_INT32" : "DT_FLOAT";
    return this.node(name, "Const", [], { value: { tensor: { dtype: type, tensorShape } }, dtype: { type } });
  }

  /** Whole numbers, as a list or alone. */
  integers(name: string, values: number | number[], shape?: number[]): string {
    const list = [values].flat();
    return this.constant(name, shape ?? (Array.isArray(values) ? [list.length] : []), list, "int32");
  }

  /** Positive weights, so that no two contributions cancel. */
  weights(name: string, ...shape: number[]): string {
    const length = shape.reduce((a, b) => a * b, 1);
    const values = Array.from({ length }, (_, i) => 0.5 + ((7 * i) % 11) / 11);
    return this.constant(name, shape, values, "float32");
  }

  output(name: string): void {
    this.outputs.push(name);
  }

  get weightBytes(): Uint8Array {
    // Inside a larger buffer at an odd place, as a reader of files may hand it over.
    return new Uint8Array([0, ...this.bytes]).subarray(1);
  }

  get json() {
    const half = Math.floor(this.specs.length / 2);
    return {
      format: "graph-model",
      generatedBy: "2.15.0",
      convertedBy: "TensorFlow.js Converter v4.22.0",
      signature: {
        inputs: { x: { name: "x:0", dtype: "DT_FLOAT" } },
        outputs: Object.fromEntries(
          this.outputs.map((name) => [name, { name: `${name}:0`, dtype: "DT_FLOAT" }]),
        ),
      },
      modelTopology: { node: this.nodes, library: {}, versions: { producer: 1882 } },
      weightsManifest: [
        { paths: ["group1-shard1of2.bin", "group1-shard2of2.bin"], weights: this.specs.slice(0, half) },
        { paths: ["group2-shard1of1.bin"], weights: this.specs.slice(half) },
      ],
    };
  }

  /** The model as tfjs loads it. */
  load(): ReturnType<typeof loadGraphModelSync> {
    const { modelTopology, signature, format } = this.json;
    return loadGraphModelSync({
      format,
      modelTopology,
      signature,
      weightSpecs: this.specs,
      weightData: new Uint8Array(this.bytes).buffer,
    });
  }

  /** The values of nodes as tfjs computes them. */
  run(images: core.Tensor, names: string[]): core.Tensor[] {
    return [this.load().execute(images, names)].flat();
  }
}
