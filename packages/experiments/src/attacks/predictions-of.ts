import type { Classifier } from "@gradlab/attacks";
import { argMax, type Tensor, tidy } from "@tensorflow/tfjs-core";

/** The classes that a classifier sees in images. */
export async function predictionsOf(classifier: Classifier, x: Tensor): Promise<number[]> {
  const rows = Array.from({ length: x.shape[0]! }, (_, id) => ({ id, query: 0 }));
  const top = tidy(() => argMax(classifier.logits(x, rows), 1));
  try {
    return Array.from(await top.data());
  } finally {
    top.dispose();
  }
}
