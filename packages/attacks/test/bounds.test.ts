import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tensor1d,
  tensor2d,
  tensor4d,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  autoAttack,
  certifiedMargins,
  pgd,
  proveOrBreak,
  type ReluNetwork,
  reluClassifier,
  runAttack,
} from "../src/index.js";
import { expectNoLeak, predictions, rowsOf, uniformTensor, useBackend } from "./models.js";

beforeAll(() => useBackend("wasm"));

const network: ReluNetwork = {
  bounds: [0, 1],
  classes: 4,
  get layers() {
    return layers;
  },
};
let layers: ReluNetwork["layers"];
let x: Tensor;
let labels: number[];
beforeAll(async () => {
  await useBackend("wasm");
  const draw = (shape: number[], purpose: string, size: number) => uniformTensor(shape, purpose, -size, size);
  layers = [
    {
      op: "conv",
      kernel: draw([3, 3, 1, 4], "kernel", 0.5) as Tensor4D,
      bias: draw([4], "bias 1", 0.1) as Tensor1D,
      padding: "same",
      stride: 2,
    },
    { op: "relu" },
    { op: "conv", kernel: draw([2, 2, 4, 5], "kernel 2", 0.4) as Tensor4D },
    { op: "relu" },
    {
      op: "dense",
      kernel: draw([20, 10], "dense 1", 0.4) as Tensor2D,
      bias: draw([10], "bias 2", 0.1) as Tensor1D,
    },
    { op: "relu" },
    {
      op: "dense",
      kernel: draw([10, 4], "dense 2", 0.6) as Tensor2D,
      bias: draw([4], "bias 3", 0.1) as Tensor1D,
    },
  ];
  x = uniformTensor([10, 6, 6, 1], "proven");
  labels = await predictions(reluClassifier(network), x);
});

/** The least margin of the label among images. */
async function leastMargin(images: Tensor, label: number): Promise<number> {
  const logits = reluClassifier(network).logits(images, []);
  const rows = await rowsOf(logits);
  logits.dispose();
  return Math.min(...rows.map((row) => row[label]! - Math.max(...row.filter((_, k) => k !== label))));
}

describe.each(["linf", "l2"] as const)("lower bounds of the margin in %s", (norm) => {
  const radii = norm === "linf" ? [0, 0.005, 0.02, 0.08] : [0, 0.02, 0.08, 0.3];

  test("lie below the margin of every image that is found in the ball, and fall with ε", async () => {
    await expectNoLeak(async () => {
      const before = labels.map(() => Number.POSITIVE_INFINITY);
      for (const epsilon of radii) {
        const bounds = await certifiedMargins(network, x, labels, { epsilon, norm });
        const attack = pgd({ norm, steps: 20, relativeStep: 0.1 });
        const { adversarial, samples } = await runAttack(reluClassifier(network), attack, x, labels, {
          epsilon,
          preflight: false,
          until: "best",
        });
        adversarial.dispose();
        const clean = await rowsOf(x);
        for (const [i, { margin, interval, linear }] of bounds.entries()) {
          if (samples[i]!.success) expect(margin).toBeLessThan(0);
          expect(margin).toBe(Math.max(interval, linear));
          expect(margin).toBeLessThanOrEqual(before[i]! + 1e-5);
          before[i] = margin;
          // Corners of the ball, at random.
          const drawn = uniformTensor([50, 36], `corner ${i}`, -1, 1);
          const draws = await rowsOf(drawn);
          drawn.dispose();
          const corners = draws.map((draw) => {
            const size = norm === "linf" ? 1 : Math.hypot(...draw);
            return draw.map((value, k) =>
              Math.min(
                1,
                Math.max(0, clean[i]![k]! + (epsilon * (norm === "linf" ? Math.sign(value) : value)) / size),
              ),
            );
          });
          const images = tensor4d(corners.flat(), [50, 6, 6, 1]);
          expect(margin).toBeLessThanOrEqual((await leastMargin(images, labels[i]!)) + 1e-5);
          images.dispose();
        }
      }
    });
  });

  test("are the margin itself for a ball of no size, and linear ones are better than intervals on the whole", async () => {
    const still = await certifiedMargins(network, x, labels, { epsilon: 0, norm });
    const logits = await rowsOf(reluClassifier(network).logits(x, []));
    for (const [i, row] of logits.entries()) {
      const margin = row[labels[i]!]! - Math.max(...row.filter((_, k) => k !== labels[i]));
      expect(Math.abs(still[i]!.margin - margin)).toBeLessThan(1e-3);
    }
    const wide = await certifiedMargins(network, x, labels, { epsilon: radii[2]!, norm });
    const mean = (of: "interval" | "linear") => wide.reduce((sum, each) => sum + each[of], 0) / wide.length;
    expect(mean("linear")).toBeGreaterThan(mean("interval"));
  });
});

test("of one dense layer the bound is exact: the margin minus ε times the size of the weights", async () => {
  const kernel = tensor2d([0.5, -1, 0.2, 0.3, 0.8, -0.4], [3, 2]);
  const flat: ReluNetwork = {
    bounds: [-9, 9],
    classes: 2,
    layers: [{ op: "dense", kernel, bias: tensor1d([0.1, 0]) }],
  };
  const point = [0.4, 0.6, -0.3];
  const margin = 0.1 + 1.5 * point[0]! - 0.1 * point[1]! + 1.2 * point[2]!;
  for (const [norm, size] of [
    ["linf", 2.8],
    ["l2", Math.hypot(1.5, 0.1, 1.2)],
  ] as const) {
    const [bound] = await certifiedMargins(flat, tensor2d([point]), [0], { epsilon: 0.05, norm });
    expect(bound!.linear).toBeCloseTo(margin - 0.05 * size, 4);
  }
});

test("what is proven is never broken, what is broken never proven, and the shares sum to 1", async () => {
  const seen: Set<string> = new Set();
  for (const epsilon of [0.002, 0.01, 0.05]) {
    const margins = await certifiedMargins(network, x, labels, { epsilon });
    const { samples, adversarial } = await runAttack(
      reluClassifier(network),
      autoAttack({ budget: 0.2 }),
      x,
      labels,
      { epsilon, preflight: false },
    );
    adversarial.dispose();
    const { verdicts, proven, broken, open } = proveOrBreak(margins, samples);
    for (const verdict of verdicts) seen.add(verdict);
    expect(proven + broken + open).toBeCloseTo(1, 12);
  }
  expect([...seen].sort()).toEqual(["broken", "open", "proven"]);
  const { samples } = await runAttack(reluClassifier(network), pgd(), x, labels, {
    epsilon: 0.3,
    preflight: false,
  });
  expect(() =>
    proveOrBreak(
      samples.map(() => ({ interval: 1, linear: 1, margin: 1 })),
      samples,
    ),
  ).toThrow(/expected no adversarial image of what is proven robust/);
});

test("other layers, and networks without logits at the end, are refused", async () => {
  const pooled = { ...network, layers: [{ op: "pool" }, ...layers] } as unknown as ReluNetwork;
  await expect(certifiedMargins(pooled, x, labels, { epsilon: 0.1 })).rejects.toThrow(
    /layers: expected convolutions, dense layers and ReLUs, got "pool"/,
  );
  const headless = { ...network, layers: layers.slice(0, -1) };
  await expect(certifiedMargins(headless, x, labels, { epsilon: 0.1 })).rejects.toThrow(
    /expected a dense layer of 4 units at the end/,
  );
  await expect(certifiedMargins(network, x, labels, { epsilon: 0.1, norm: "l1" as "l2" })).rejects.toThrow(
    /norm: expected "linf" or "l2"/,
  );
});
