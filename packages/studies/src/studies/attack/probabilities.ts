import type { Classifier } from "@gradlab/attacks";
import { slice, softmax, type Tensor2D, type Tensor4D, tidy } from "@tensorflow/tfjs-core";

/** The softmax of a network's scores, a row for each image. */
export async function probabilitiesOf(
  { logits }: Classifier,
  x: Tensor4D,
  batch: number,
): Promise<number[][]> {
  const rows: number[][] = [];
  for (let from = 0; from < x.shape[0]; from += batch) {
    const size = Math.min(batch, x.shape[0] - from);
    const some = Array.from({ length: size }, (_, i) => ({ id: from + i, query: 0 }));
    const shares = tidy(() => softmax(logits(slice(x, [from], [size]), some) as Tensor2D));
    try {
      rows.push(...((await shares.array()) as number[][]));
    } finally {
      shares.dispose();
    }
  }
  return rows;
}
