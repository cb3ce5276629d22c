/** A study that needs what another one keeps: which option takes it, and whose it is. */
export interface NeededFile {
  readonly option: string;
  readonly from: string;
  /** An option that takes something else in its place. */
  readonly instead?: string;
}

/** Pages begin with these, so that there is something to run: what was trained here, or when the lab was built. */
export const neededFiles: Readonly<Record<string, NeededFile>> = {
  classify: { option: "weights", from: "train-cnn", instead: "model" },
  attack: { option: "weights", from: "train-cnn", instead: "model" },
  robustness: { option: "weights", from: "train-cnn", instead: "model" },
  sample: { option: "model", from: "train-lm" },
  perplexity: { option: "model", from: "train-lm" },
  embedding: { option: "model", from: "train-lm" },
};

/** What the networks are called that are trained when the lab is built. */
export const builtNetworks: Readonly<Record<string, string>> = {
  "train-cnn": "lenet-shapes.safetensors",
  "train-lm": "lstm-sentences.safetensors",
};

/** The checkpoint of a training that others take. */
export const keptNetwork = "last.safetensors";

/** Where a file lies that was made when the lab was built. */
export const builtFile = (name: string): URL => new URL(`first/${name}`, document.baseURI);
