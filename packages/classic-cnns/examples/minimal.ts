import { evaluateNetwork, initNetwork, startNetworkTraining, trainNetwork } from "@gradlab/classic-cnns";
import { network } from "@gradlab/classic-cnns/networks";
import { batchesOf, generateShapes, inOrder, splitDataset } from "@gradlab/datasets";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { setBackend } from "@tensorflow/tfjs-core";

await enableWasmTraining().then(() => setBackend("wasm"));
const [train, test] = splitDataset(generateShapes({ count: 700, classes: 3 }), { counts: [500, 200] });
const net = network("lenet-relu", { classes: 3 });
const training = startNetworkTraining(net, initNetwork(net), { name: "adam", learningRate: 1e-3 });
const steps = trainNetwork(net, training, { batch: batchesOf(train!, { size: 20 }), steps: 200 });
for await (const { step, loss } of steps) if (step % 50 === 0) console.log(step, loss.toFixed(2));
console.log((await evaluateNetwork(net, training.state, { batch: inOrder(test!) })).accuracy);
