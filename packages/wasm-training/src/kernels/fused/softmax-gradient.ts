import { job } from "../../companion/companion.js";
import { runRows } from "../../companion/rows.js";
import { allocate } from "../../heap.js";
import { companionKernel } from "./companion-kernel.js";

/** The gradient of softmax along rows, `[n, columns]`. */
export const softmaxGradientKernel = () =>
  companionKernel("GradlabSoftmaxGrad", ({ inputs, backend, companion }) => {
    const [y, dy] = [inputs.y!, inputs.dy!];
    const [rows, columns] = y.shape as [number, number];
    const out = allocate(backend, [rows, columns]);
    runRows(backend, companion, { job: job.softmaxGradient, rows, columns, x: y, out, dy });
    return out;
  });
