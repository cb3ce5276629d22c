import { receptiveField } from "@gradlab/receptive-field";
import { toLayerGraph } from "@gradlab/tfjs-models";

const conv = { kernel_size: [3, 3], filters: 8, padding: "same", batch_input_shape: [null, 32, 32, 3] };
const layers = [
  { class_name: "Conv2D", config: { name: "c1", ...conv, strides: [2, 2] } },
  { class_name: "Conv2D", config: { name: "c2", ...conv } },
];
const graph = toLayerGraph({ modelTopology: { class_name: "Sequential", config: { layers } } }); // a model.json
for (const { name, n, jump, size } of receptiveField(graph).layers) console.log(name, n, jump, size);
