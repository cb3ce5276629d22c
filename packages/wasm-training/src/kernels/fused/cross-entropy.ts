import { job } from "../../companion/companion.js";
import { runRows } from "../../companion/rows.js";
import { allocate } from "../../heap.js";
import { companionKernel } from "./companion-kernel.js";

/** Cross-entropy of integer labels, `[n]`, and its gradient, with label smoothing. */
export const crossEntropyKernels = () => [
  companionKernel("GradlabCrossEntropy", ({ inputs, backend, attrs, companion }) => {
    const [x, labels] = [inputs.logits!, inputs.labels!];
    const [rows, columns] = x.shape as [number, number];
    const out = allocate(backend, [rows]);
    const smoothing = attrs.labelSmoothing;
    runRows(backend, companion, { job: job.crossEntropy, rows, columns, x, out, labels, smoothing });
    return out;
  }),
  companionKernel("GradlabCrossEntropyGrad", ({ inputs, backend, attrs, companion }) => {
    const [x, labels, dy] = [inputs.logits!, inputs.labels!, inputs.dy!];
    const [rows, columns] = x.shape as [number, number];
    const out = allocate(backend, [rows, columns]);
    const smoothing = attrs.labelSmoothing;
    const how = { job: job.crossEntropyGradient, rows, columns, x, out, labels, smoothing, dy };
    runRows(backend, companion, how);
    return out;
  }),
];
