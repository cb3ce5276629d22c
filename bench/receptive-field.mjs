import { receptiveField } from "@gradlab/receptive-field";
import { interleaved, milliseconds } from "./interleaved.mjs";

/** A residual network of 500 layers on images: 7x7/2, 3x3/2, then 124 blocks of two 3x3 and an addition, halved three times. */
function residualNetwork() {
  const layers = [
    { name: "conv1", op: "conv", kernel: 7, stride: 2, padding: 3 },
    { name: "pool1", op: "pool", kernel: 3, stride: 2, padding: 1 },
  ];
  for (let block = 0; layers.length < 498; block++) {
    const from = layers.at(-1).name;
    const stride = block === 31 || block === 62 || block === 93 ? 2 : 1;
    layers.push(
      { name: `b${block}/shortcut`, op: "conv", kernel: 1, stride, inputs: [from] },
      { name: `b${block}/conv1`, op: "conv", kernel: 3, stride, padding: 1, inputs: [from] },
      { name: `b${block}/conv2`, op: "conv", kernel: 3, padding: 1 },
      { name: `b${block}`, op: "add", inputs: [`b${block}/shortcut`, `b${block}/conv2`] },
    );
  }
  layers.push({ name: "pool2", op: "global-pool" }, { name: "fc", op: "dense", units: 1000 });
  return { input: { shape: [224, 224] }, layers };
}

/** The recurrence for chains, with nothing checked: what the arithmetic costs at least. */
function bareRecurrence({ layers }) {
  const rows = [];
  let [size, jump, start] = [1, 1, 0];
  for (const { kernel = 1, stride = 1, padding = 0 } of layers) {
    for (let axis = 0; axis < 2; axis++) {
      start += ((kernel - 1) / 2 - padding) * jump;
      size += (kernel - 1) * jump;
    }
    jump *= stride;
    rows.push({ size, jump, start });
  }
  return rows;
}

/** Milliseconds for the whole table, warmed up and for the first call, beside the bare recurrence for chains. */
export function run() {
  const graph = residualNetwork();
  const first = milliseconds(() => receptiveField(graph));
  const { ours, ratio } = interleaved(
    () => receptiveField(graph),
    () => bareRecurrence(graph),
    { pairs: 31, warmups: 20 },
  );
  const name = `receptive-field: ${graph.layers.length} layers`;
  return [
    { name: `${name}, first call`, value: first, unit: "ms", reference: "10 ms", ratio: first / 10 },
    { name: `${name}, warm`, value: ours, unit: "ms", reference: "10 ms", ratio: ours / 10 },
    { name: `${name}, warm`, value: ours, unit: "ms", reference: "bare recurrence of a chain", ratio },
  ];
}
