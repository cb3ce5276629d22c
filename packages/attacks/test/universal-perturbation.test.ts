import { add, clipByValue, type Tensor } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { norms, universalPerturbation } from "../src/index.js";
import { expectNoLeak, predictions, smallCnn, uniformTensor, useBackend } from "./models.js";

beforeAll(() => useBackend("wasm"));

test.each(["linf", "l2"] as const)(
  "one perturbation in %s fools images that it was made for, and others",
  async (norm) => {
    const model = smallCnn();
    const [x, others] = [uniformTensor([16, 8, 8, 1], "universal"), uniformTensor([16, 8, 8, 1], "held out")];
    const epsilon = norm === "linf" ? 0.15 : 1;
    await expectNoLeak(async () => {
      const { delta, foolingRate, passes } = await universalPerturbation(model, x, {
        norm,
        epsilon,
        passes: 4,
      });
      expect(delta.shape).toEqual([8, 8, 1]);
      expect(norms[norm].size(await delta.data())).toBeLessThanOrEqual(epsilon);
      expect(passes).toBeLessThanOrEqual(4);
      const fooled = async (images: Tensor) => {
        const [before, sum] = [await predictions(model, images), add(images, delta)];
        const moved = clipByValue(sum, 0, 1);
        const after = await predictions(model, moved);
        sum.dispose();
        moved.dispose();
        return after.filter((label, i) => label !== before[i]).length / before.length;
      };
      expect(await fooled(x)).toBe(foolingRate);
      expect(foolingRate).toBeGreaterThan(0.3);
      expect(await fooled(others)).toBeGreaterThan(0);
      delta.dispose();
    });
  },
);

test("a perturbation of no size fools nobody, and wrong options are refused", async () => {
  const x = uniformTensor([4, 8, 8, 1], "universal");
  const { delta, foolingRate } = await universalPerturbation(smallCnn(), x, { epsilon: 0, passes: 1 });
  expect([foolingRate, norms.linf.size(await delta.data())]).toEqual([0, 0]);
  await expect(universalPerturbation(smallCnn(), x, { epsilon: -1 })).rejects.toThrow(
    /epsilon: expected a finite number, at least 0/,
  );
  await expect(universalPerturbation(smallCnn(), x, { epsilon: 1, norm: "l1" as "l2" })).rejects.toThrow(
    /norm: expected "linf" or "l2"/,
  );
});
