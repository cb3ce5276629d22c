import { parseNetwork, receptiveField } from "@gradlab/receptive-field";

const network = parseNetwork("conv1 11/4, pool1 3/2, conv2 5/1 p2, pool2 3/2"); // the start of AlexNet
const { layers, unit, unitsSeeing } = receptiveField(network, { inputSize: 227 });

for (const { name, n, jump, size, start } of layers) console.log(name, n[0], jump[0], size[0], start[0]);
const [y] = unit("conv2", [1, 1]).axes;
console.log("conv2 (1, 1) sees rows", y?.pixels, "of which inside", y?.clipped);
console.log("pixel (100, 100) is seen by pool2 units", unitsSeeing("pool2", [100, 100]).axes[0]);
