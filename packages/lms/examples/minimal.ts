import { courseData, cyclicBound, leastSquares, lms, runFilter } from "@gradlab/lms";

const { X, d } = courseData(); // 100 rows [1, x1, x2], d = 1 + x1 - 2 x2 + noise
const show = (weights: Float64Array) => Array.from(weights, (w) => w.toFixed(4)).join(" ");

console.log("Wiener", show(leastSquares(X, d).weights));
for (const mu of [0.01, 0.1, 1]) {
  const { verdict, weights, updates } = runFilter(lms({ mu }), X, d, { epochs: 20 });
  console.log("LMS", mu, verdict, updates, verdict === "done" ? show(weights) : "");
}
console.log("stable, row after row, up to", cyclicBound(X).limit.toFixed(4));
