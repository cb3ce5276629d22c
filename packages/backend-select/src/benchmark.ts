import {
  AdamOptimizer,
  matMul,
  mean,
  relu,
  type Scalar,
  square,
  type Tensor2D,
  tensor2d,
  tidy,
  variable,
} from "@tensorflow/tfjs-core";

const warmUps = 2;
const measured = 7;

/**
 * Median time of one step on the active backend, in ms, of 7 after 2 that are
 * not counted. Without a step of the caller: one step of Adam on a perceptron with
 * 256-256-10 units, batch 64, and reading its loss.
 */
export async function benchmarkStep(step?: () => unknown): Promise<number> {
  const own = step === undefined ? perceptron() : undefined;
  const times: number[] = [];
  try {
    for (let i = 0; i < warmUps + measured; i++) {
      const start = performance.now();
      await (step ?? own!.step)();
      if (i >= warmUps) times.push(performance.now() - start);
    }
  } finally {
    own?.dispose();
  }
  times.sort((a, b) => a - b);
  return Math.round(times[Math.floor(times.length / 2)]! * 1000) / 1000;
}

function perceptron() {
  const wave = (rows: number, columns: number) =>
    tensor2d(
      Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i) / 16),
      [rows, columns],
    );
  const x = wave(64, 256);
  const weights = tidy(() => [wave(256, 256), wave(256, 10)].map((start) => variable(start)));
  const optimizer = new AdamOptimizer(1e-3, 0.9, 0.999, 1e-8);
  const loss = () => {
    const [first, second] = weights as Tensor2D[] as [Tensor2D, Tensor2D];
    return mean(square(matMul(relu(matMul(x, first)), second))) as Scalar;
  };
  return {
    step: async () => {
      const value = optimizer.minimize(loss, true, [...weights])!;
      await value.data();
      value.dispose();
    },
    dispose: () => {
      optimizer.dispose();
      for (const tensor of [x, ...weights]) tensor.dispose();
    },
  };
}
