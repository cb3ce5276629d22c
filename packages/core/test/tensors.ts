/** What the tests have in common; importing it registers the cpu backend, without tfjs's advertisement. */
import "@tensorflow/tfjs-backend-cpu";
import { readFileSync } from "node:fs";
import { env, memory, type Tensor, tensor, tidy } from "@tensorflow/tfjs-core";
import { expect } from "vitest";

env().set("PROD", true);

/** The numbers of a tensor, which is disposed. */
export async function numbers(x: Tensor): Promise<number[]> {
  const data = await x.data();
  x.dispose();
  return Array.from(data);
}

/** Numbers without a pattern that a wrong index could hide in, in [-1, 1]. */
export const wave = (shape: number[], phase = 0): Tensor =>
  tidy(() => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Array.from({ length: size }, (_, i) => Math.sin(1.7 * i * i + 0.3 * i + phase)),
      shape,
    );
  });

/** Fails when `work` leaves tensors behind, or takes some away. */
export async function expectNoLeak(work: () => void | Promise<void>): Promise<void> {
  const before = memory().numTensors;
  await work();
  expect(memory().numTensors).toBe(before);
}

export interface TorchGolden {
  readonly crossEntropy: readonly {
    readonly shape: [number, number];
    readonly logits: number[];
    readonly labels: number[];
    readonly labelSmoothing: number;
    readonly ignoreIndex: number | null;
    readonly reduction: "mean" | "sum" | "none";
    readonly weights: number[];
    readonly direction: number[];
    readonly loss: number[];
    readonly gradient: number[];
    readonly second: number[];
  }[];
  readonly sampling: readonly {
    readonly logits: number[];
    readonly temperature: number;
    readonly topK: number | null;
    readonly topP: number | null;
    readonly probabilities: number[];
  }[];
  readonly schedules: Readonly<Record<string, number[]>>;
  readonly training: {
    readonly x: number[];
    readonly y: number[];
    readonly w: number[];
    readonly b: number[];
    readonly cases: Readonly<
      Record<string, { readonly losses: number[]; readonly norms: number[]; readonly weights: number[][] }>
    >;
  };
  readonly initializers: Readonly<Record<string, { readonly std: number; readonly max: number }>>;
}

export const golden: TorchGolden = JSON.parse(
  readFileSync(new URL("golden/torch.json", import.meta.url), "utf8"),
);
