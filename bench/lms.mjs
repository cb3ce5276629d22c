import { affineProjection, courseData, lms, nlms, rls, runFilter } from "@gradlab/lms";
import { interleaved } from "./interleaved.mjs";

const ROWS = 10_000;
const EPOCHS = 30;

/** As many numbers whatever the number of weights. */
function dataSet(taps) {
  const count = Math.round((3 * ROWS) / taps);
  return courseData({ count, weights: new Float64Array(taps).fill(1) });
}

const three = dataSet(3);
const rows = Array.from({ length: ROWS }, (_, k) => Array.from(three.X.data.subarray(3 * k, 3 * k + 3)));
const targets = Array.from(three.d);

/** The common way without a package: arrays of numbers, a sample at a time. */
function plainLms() {
  const w = [0, 0, 0];
  const errors = [];
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let k = 0; k < ROWS; k++) {
      const x = rows[k];
      const e = targets[k] - w.reduce((sum, weight, i) => sum + weight * x[i], 0);
      errors.push(e);
      for (let i = 0; i < 3; i++) w[i] += 1e-3 * e * x[i];
    }
  }
  return w;
}

/** Million updates per second of `run`, with all that it reports, and how many times those of the reference. */
function updates(name, rule, { X, d }, options = {}) {
  const { ours, ratio } = interleaved(() => runFilter(rule, X, d, { epochs: EPOCHS, ...options }), plainLms, {
    warmups: 20,
  });
  return {
    name: `lms: ${name}`,
    value: (EPOCHS * ROWS) / ours / 1e3,
    unit: "million/s",
    reference: "LMS with 3 weights on arrays of numbers",
    ratio: 1 / ratio,
  };
}

/** Nanoseconds per weight and update: the same for every number of weights where time is linear in it. */
function perWeight(taps) {
  const { X, d } = dataSet(taps);
  const sixteen = dataSet(16);
  const rule = lms({ mu: 0.1 / taps });
  const { ours, ratio } = interleaved(
    () => runFilter(rule, X, d, { epochs: EPOCHS }),
    () => runFilter(lms({ mu: 0.1 / 16 }), sixteen.X, sixteen.d, { epochs: EPOCHS }),
  );
  return {
    name: `lms: lms, ${taps} weights, per weight`,
    value: (ours * 1e6) / (EPOCHS * X.rows * taps),
    unit: "ns",
    reference: "16 weights",
    ratio,
  };
}

export function run() {
  return [
    updates("lms, 3 weights", lms({ mu: 1e-3 }), three),
    updates("lms, 3 weights, trajectory kept", lms({ mu: 1e-3 }), three, { trajectory: true }),
    updates("nlms, 3 weights", nlms({ mu: 0.1 }), three),
    updates("affine projection of order 2, 3 weights", affineProjection({ mu: 0.1, order: 2 }), three),
    updates("rls, 3 weights", rls({ lambda: 0.999 }), three),
    ...[64, 256, 1024].map(perWeight),
  ];
}
