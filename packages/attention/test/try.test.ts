import { generateShapes, randomTransform, splitDataset } from "@gradlab/datasets";
import { reshape, type Tensor2D } from "@tensorflow/tfjs-core";
import { test } from "vitest";
import { applyVisionTransformer, initLinear, initVisionTransformer, linear } from "../src/index.js";
import { useBackend } from "./tensors.js";
import { fashionMnist, trainImages } from "./train-vision.js";

test("try", async () => {
  await useBackend("wasm");
  const E = process.env;
  const W = +(E.W ?? 48),
    L = +(E.L ?? 2),
    P = +(E.P ?? 7),
    S = +(E.S ?? 420),
    LR = +(E.LR ?? 2e-3),
    D = +(E.D ?? 0.1),
    WD = +(E.WD ?? 0.05);
  const sets: any =
    E.DATA === "shapes"
      ? (([train, test]) => ({ train, test }))(
          splitDataset(generateShapes({ count: 4500, size: 28, channels: 1 } as any), {
            counts: [4000, 500],
          }) as any,
        )
      : {
          train: fashionMnist("/work/shared/data", "train"),
          test: fashionMnist("/work/shared/data", "t10k"),
        };
  const classes = sets.train.classes;
  const config = {
    size: [28, 28] as const,
    channels: 1,
    patch: P,
    classes,
    width: W,
    layers: L,
    heads: 4,
    hidden: 2 * W,
  };
  const say = (s: string) => process.stderr.write(s + "\n");
  const t0 = performance.now();
  const lin = await trainImages(
    {
      start: initLinear(784, classes),
      logits: (p: any, x: any) => linear(p, reshape(x, [x.shape[0], 784])) as Tensor2D,
    },
    { ...sets, steps: S, learningRate: 3e-3 },
  );
  say(`linear ${lin} ${(performance.now() - t0) / 1000}`);
  for (const seed of (E.SEEDS ?? "0").split(",").map(Number)) {
    const t1 = performance.now();
    const acc = await trainImages(
      {
        start: initVisionTransformer(config, { seed }),
        logits: (p: any, x: any, step: any) =>
          applyVisionTransformer(
            p,
            x,
            config,
            step === null || D === 0 ? {} : { dropout: { rate: D, seed, purpose: "vit", index: step } },
          ),
      },
      {
        ...sets,
        steps: S,
        learningRate: LR,
        weightDecay: WD,
        ...(E.AUG ? { augment: randomTransform({ translate: 0.05, degrees: 5, scale: [0.95, 1.05] }) } : {}),
      },
    );
    say(`vit seed ${seed} ${acc} ${(performance.now() - t1) / 1000}`);
  }
}, 500000);
