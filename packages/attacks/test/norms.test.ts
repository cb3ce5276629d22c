import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededDraws } from "../src/driver/draws.js";
import { type Box, distanceOf, type NormName, norms } from "../src/index.js";
import { climber, projected } from "../src/norms/climber.js";
import { ceilFloat32, floorFloat32 } from "../src/norms/single-precision.js";

const balls = ["linf", "l2", "l1"] as const;

/** A box of three numbers around an image, and a point that may lie outside. */
const cases = fc
  .array(fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -3, max: 3, noNaN: true })), {
    minLength: 3,
    maxLength: 3,
  })
  .map((pairs) => ({
    box: {
      x: Float32Array.from(pairs, ([x]) => x),
      lower: new Float32Array(3).fill(-1),
      upper: new Float32Array(3).fill(1),
    } satisfies Box,
    point: pairs.map(([, value]) => value),
  }));

test.each(balls)(
  "what is projected in %s lies in ball and box, in double precision without any tolerance",
  (name) => {
    fc.assert(
      fc.property(cases, fc.double({ min: 0, max: 2, noNaN: true }), ({ box, point }, epsilon) => {
        const projected = norms[name].project(point, box, epsilon);
        expect(distanceOf(norms[name], projected, box.x)).toBeLessThanOrEqual(epsilon);
        for (const [i, value] of projected.entries()) {
          expect(value).toBeGreaterThanOrEqual(box.lower[i]!);
          expect(value).toBeLessThanOrEqual(box.upper[i]!);
        }
      }),
    );
  },
);

test("steps of linf from its own loop are those of its definition", () => {
  const slope = fc.oneof(
    fc.float({ noDefaultInfinity: false }),
    fc.constantFrom(0, -0, Number.NaN, 1e-45, -1e-45),
  );
  const size = fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.constantFrom(0, 1e-7, 8 / 255, 0.1));
  const slopes = fc.array(fc.tuple(slope, slope, slope), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(cases, size, size, slopes, ({ box, point }, epsilon, step, gradients) => {
      let x = norms.linf.project(point, box, epsilon);
      const [own, defined] = [climber, projected].map((make) => make(norms.linf, box, epsilon));
      for (const gradient of gradients) {
        const next = own!(x, step, gradient);
        // To the bit, but for the sign of zero.
        expect(next.map((value) => value + 0)).toEqual(defined!(x, step, gradient).map((value) => value + 0));
        x = next;
      }
    }),
    { numRuns: 2000 },
  );
});

/** The nearest point of ball and box among those of a grid that closes in on the best one. */
function nearestByBruteForce(
  name: NormName,
  { x, lower, upper }: Box,
  point: readonly number[],
  epsilon: number,
): number {
  let center: number[] = [...x];
  let best = Number.POSITIVE_INFINITY;
  for (let width = 2; width > 1e-6; width *= 0.6) {
    const from = center;
    for (let code = 0; code < 11 ** 3; code++) {
      const candidate = from.map((value, i) => {
        const step = Math.floor(code / 11 ** i) % 11;
        return Math.min(Math.max(value + ((step - 5) / 5) * width, lower[i]!), upper[i]!);
      });
      if (distanceOf(norms[name], candidate, x) > epsilon) continue;
      const distance = Math.hypot(...candidate.map((value, i) => value - point[i]!));
      if (distance < best) [best, center] = [distance, candidate];
    }
  }
  return best;
}

// L2 projects onto the ball and then clips, so brute force is asked where the box is out of reach.
test.each([
  ["linf", 1],
  ["l1", 1],
  ["l2", 100],
] as const)("projections in %s are the nearest point that brute force finds", (name, wide) => {
  fc.assert(
    fc.property(cases, fc.double({ min: 0.05, max: 1.5, noNaN: true }), ({ box, point }, epsilon) => {
      const scaled = { ...box, lower: box.lower.map((v) => v * wide), upper: box.upper.map((v) => v * wide) };
      const projected = norms[name].project(point, scaled, epsilon);
      const own = Math.hypot(...[...projected].map((value, i) => value - point[i]!));
      // A grid has to be lucky on slanted faces: it never finds a nearer one, and comes within a hundredth.
      const brute = nearestByBruteForce(name, scaled, point, epsilon);
      expect(own).toBeLessThanOrEqual(brute + 1e-6);
      expect(brute - own).toBeLessThan(0.05);
    }),
    { numRuns: 30 },
  );
});

/** `⟨g, d⟩` for the step that a norm takes. */
const objective = (name: NormName, gradient: number[]) => {
  const step = norms[name].steepest(gradient);
  return gradient.reduce((sum, value, i) => sum + value * step[i]!, 0);
};

describe("steps along the steepest direction", () => {
  test("of the gradient (1, -2) gain 3 in L∞, √5 in L2 and 2 in L1", () => {
    expect(objective("linf", [1, -2])).toBe(3);
    expect(objective("l2", [1, -2])).toBeCloseTo(Math.sqrt(5), 12);
    expect(objective("l1", [1, -2])).toBe(2);
  });

  test("share a step of L1 between equal gradients: (2, -2) gains 2 with a step of size 1", () => {
    expect(objective("l1", [2, -2])).toBe(2);
    expect(norms.l1.size(norms.l1.steepest([2, -2]))).toBe(1);
  });

  test.each(balls)("have size 1 in %s and gain the dual norm; a zero gradient gives no step", (name) => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 1, maxLength: 6 }),
        (gradient) => {
          const step = norms[name].steepest(gradient);
          if (gradient.every((value) => Math.abs(value) < 1e-100)) return;
          expect(norms[name].size(step)).toBeCloseTo(1, 9);
          expect(objective(name, gradient)).toBeCloseTo(norms[name].dualSize(gradient), 9);
        },
      ),
    );
    expect([...norms[name].steepest([0, 0])]).toEqual([0, 0]);
  });
});

// Of the uniform distribution in a ball of n dimensions, half of the points lie within ε · 2^(-1/n).
test.each(balls)("random points in %s are uniform in the ball, by radius and by direction", (name) => {
  const draws = seededDraws(0, `ball ${name}`, 0);
  const [n, epsilon, count] = [3, 0.7, 4000];
  let inner = 0;
  const means = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const point = norms[name].randomInBall(draws, n, epsilon);
    const size = norms[name].size(point);
    expect(size).toBeLessThanOrEqual(epsilon);
    if (size <= epsilon * 2 ** (-1 / n)) inner++;
    for (const [k, value] of point.entries()) means[k]! += value / count;
  }
  // Five standard deviations of a share of one half, and of a mean of numbers in [-ε, ε].
  expect(Math.abs(inner / count - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / count));
  for (const mean of means) expect(Math.abs(mean)).toBeLessThan((5 * epsilon) / Math.sqrt(count));
});

test("numbers are rounded down and up to single precision", () => {
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (value) => {
      const [down, up] = [floorFloat32(value), ceilFloat32(value)];
      expect(Math.fround(down)).toBe(down);
      expect(Math.fround(up)).toBe(up);
      expect(down).toBeLessThanOrEqual(value);
      expect(up).toBeGreaterThanOrEqual(value);
      const nearest = Math.fround(value);
      expect(nearest === down || nearest === up || (nearest === 0 && down === 0)).toBe(true);
    }),
  );
});
