import { createRequire } from "node:module";
import { join } from "node:path";
import { env } from "@tensorflow/tfjs-core";

/** The folder whose `node_modules` has the package. */
export const tfjsNodeFolder: string = process.env.GRADLAB_TFJS_NODE!;

/** Loads the package as its users do: its backend, `tensorflow`, is set. */
export function loadTfjsNode(): void {
  env().set("PROD", true); // no advertisement on the console
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  createRequire(join(tfjsNodeFolder, "x.js"))("@tensorflow/tfjs-node");
}
