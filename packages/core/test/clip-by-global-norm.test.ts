import { scalar, tensor, zeros } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { clipByGlobalNorm, disposeParams } from "../src/index.js";
import { expectNoLeak, numbers } from "./tensors.js";

test("one factor brings the norm of all tensors together to the bound; the norm is that before", async () => {
  const { clipped, norm } = clipByGlobalNorm({ a: tensor([3, 0]), b: [tensor([[0], [4]])] }, 1);
  expect(await numbers(norm)).toEqual([5]);
  const [a, b] = [await numbers(clipped.a), await numbers(clipped.b[0]!)];
  for (const [i, expected] of [0.6, 0, 0, 0.8].entries()) {
    expect(Math.abs([...a, ...b][i]! - expected)).toBeLessThan(2 ** -23);
  }
});

test("gradients within the bound, at the bound too, keep every bit", async () => {
  const values = [0.1, -0.7, 1e-20, 3];
  for (const maxNorm of [4, Math.hypot(3, 4)]) {
    const gradient = maxNorm === 5 ? tensor([3, 4]) : tensor(values);
    const before = Array.from(await gradient.data());
    const { clipped } = clipByGlobalNorm([gradient], maxNorm);
    expect(await numbers(clipped[0]!)).toEqual(before);
  }
});

test("gradients of 0 stay 0: no quotient by the norm", async () => {
  for (const maxNorm of [1, 1e-30]) {
    const { clipped, norm } = clipByGlobalNorm({ a: zeros([3]), b: scalar(0) }, maxNorm);
    expect(await numbers(norm)).toEqual([0]);
    expect([...(await numbers(clipped.a)), ...(await numbers(clipped.b))]).toEqual([0, 0, 0, 0]);
  }
});

test("a gradient that is not finite shows in the norm", async () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const { norm } = clipByGlobalNorm([tensor([1, bad])], 1);
    expect(await numbers(norm)).toEqual([bad]);
  }
});

test("no gradients have the norm 0", async () => {
  expect(await numbers(clipByGlobalNorm([], 1).norm)).toEqual([0]);
});

test("it leaves what it returns and nothing else", async () => {
  const gradients = { a: tensor([3, 0]), b: [tensor([4])] };
  await expectNoLeak(() => {
    const { clipped, norm } = clipByGlobalNorm(gradients, 1);
    disposeParams(clipped);
    norm.dispose();
  });
  expect(await numbers(gradients.a)).toEqual([3, 0]);
});

test("a bound that is none is refused, before any work", async () => {
  await expectNoLeak(() => {
    for (const maxNorm of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-60, 1e60]) {
      expect(() => clipByGlobalNorm([], maxNorm)).toThrow(
        new RangeError(
          `clipByGlobalNorm: maxNorm: expected a float32 greater than 0, finite, got ${maxNorm}`,
        ),
      );
    }
  });
});
