import "@tensorflow/tfjs-backend-cpu";
import {
  add,
  enableProdMode,
  matMul,
  mean,
  type Scalar,
  square,
  sub,
  type Tensor2D,
  tensor2d,
} from "@tensorflow/tfjs-core";
import {
  disposeTraining,
  flattenParams,
  installGradients,
  loadCheckpoint,
  normalTensor,
  type OptimizerConfig,
  saveCheckpoint,
  startTraining,
  type Training,
  train,
  xavierUniform,
} from "../src/index.js";

enableProdMode();
installGradients();

interface Layer {
  readonly kernel: Tensor2D;
  readonly bias: Tensor2D;
}

const normal = (shape: number[], purpose: string) => normalTensor(shape, { seed: 0, purpose }) as Tensor2D;
const data = { x: normal([32, 4], "x"), y: normal([32, 2], "y") };
const layer: Layer = {
  kernel: xavierUniform([4, 2], { seed: 0, purpose: "kernel" }) as Tensor2D,
  bias: tensor2d([0, 0], [1, 2]),
};
const loss = ({ kernel, bias }: Layer) =>
  mean(square(sub(add(matMul(data.x, kernel), bias), data.y))) as Scalar;

/** The loss of the last of these steps, and all weights. */
async function finish(training: Training<Layer>, steps: number): Promise<{ last: number; bits: Int32Array }> {
  let last = Number.NaN;
  for await (const result of train(training, { loss, steps })) last = result.loss;
  const weights = await Promise.all(
    flattenParams(training.state).map(async ([, tensor]) => Array.from(await tensor.data())),
  );
  return { last, bits: new Int32Array(Float32Array.from(weights.flat()).buffer) };
}

/** The names that a checkpoint has beside the weights. */
function remembered({ slots }: Training<Layer>): string {
  return Object.keys(slots).join(", ") || "nothing";
}

async function table(): Promise<string[][]> {
  const rows = [
    [
      "optimizer",
      "remembers of each weight",
      "loss at step 1, 50, 100",
      "bits that differ when resumed at 50",
    ],
  ];
  const configs: OptimizerConfig[] = [
    { name: "sgd", learningRate: 0.05 },
    { name: "momentum", learningRate: 0.05 },
    { name: "adam", learningRate: 0.05 },
    { name: "adamw", learningRate: 0.05 },
    { name: "adamax", learningRate: 0.05 },
    { name: "rmsprop", learningRate: 0.01, centered: true },
    { name: "adagrad", learningRate: 0.1 },
    { name: "adadelta", learningRate: 1 },
  ];
  for (const config of configs) {
    const training = startTraining(layer, config);
    const first = await finish(training, 1);
    const middle = await finish(training, 50);
    const bytes = await saveCheckpoint(training);
    const straight = await finish(training, 100);
    const other = loadCheckpoint(bytes, layer);
    const resumed = await finish(other, 100);
    const differing = straight.bits.reduce((count, word, i) => {
      let rest = word ^ resumed.bits[i]!;
      for (; rest !== 0; rest &= rest - 1) count++;
      return count;
    }, 0);
    rows.push([
      `\`${config.name}\``,
      remembered(training),
      [first, middle, straight].map(({ last }) => last.toFixed(3)).join(", "),
      `${differing}`,
    ]);
    for (const each of [training, other]) disposeTraining(each);
  }
  return rows;
}

const rows = await table();

/** The table of README.md: what each optimizer remembers, and that a resumed training has the same bits. */
export function readmeTable(): string[][] {
  return rows;
}
