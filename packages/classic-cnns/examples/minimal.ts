import { initNetwork, network, startNetworkTraining, summary, trainNetwork } from "@gradlab/classic-cnns";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { setBackend, tensor1d, tensor4d } from "@tensorflow/tfjs-core";

await enableWasmTraining().then(() => setBackend("wasm").then(installGradients));
const net = network("lenet-relu", { inputSize: 16, classes: 2 });
const pixels = Float32Array.from({ length: 512 }, (_, i) => (i < 256 ? i >> 4 : i) & 1); // stripes
const batch = () => ({ images: tensor4d(pixels, [2, 16, 16, 1]), labels: tensor1d([0, 1], "int32") });
const training = startNetworkTraining({ params: initNetwork(net) }, { name: "adam", learningRate: 0.01 });
for (const { name, outputShape } of summary(net).layers) console.log(name, outputShape.join("x"));
for await (const { loss } of trainNetwork(net, training, { batch, steps: 8 })) console.log(loss.toFixed(2));
