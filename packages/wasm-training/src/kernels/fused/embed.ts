import { job } from "../../companion/companion.js";
import { rowsOfTask } from "../../companion/rows.js";
import { withMemory } from "../../companion/with-memory.js";
import { allocate, sizeOf } from "../../heap.js";
import { companionKernel } from "./companion-kernel.js";

/** Rows of a table by ids, and the gradient of the table. */
export const embedKernels = () => [
  companionKernel("GradlabEmbed", ({ inputs, backend, companion }) => {
    const [table, ids] = [inputs.table!, inputs.ids!];
    const [n, d] = table.shape as [number, number];
    const count = sizeOf(ids.shape);
    const rows = allocate(backend, [count, d]);
    if (count === 0 || d === 0) return rows;
    const each = rowsOfTask(d);
    const places = [table, ids, rows].map(({ dataId }) => backend.getMemoryOffset(dataId));
    withMemory(companion, [28], (at) => {
      companion.write(at!, [n, d, count, each, ...places]);
      companion.run(job.embed, at!, Math.ceil(count / each), 0, 0);
    });
    return rows;
  }),
  companionKernel("GradlabEmbedGrad", ({ inputs, backend, attrs, companion }) => {
    const [dy, ids] = [inputs.dy!, inputs.ids!];
    const [count, d] = dy.shape as [number, number];
    const { n } = attrs;
    const table = allocate(backend, [n, d]);
    if (n === 0 || d === 0) return table;
    // Every task reads all ids.
    const each = Math.max(rowsOfTask(d), Math.ceil(n / 64));
    const places = [table, ids, dy].map(({ dataId }) => backend.getMemoryOffset(dataId));
    withMemory(companion, [28], (at) => {
      companion.write(at!, [n, d, count, each, ...places]);
      companion.run(job.embedGradient, at!, Math.ceil(n / each), 0, 0);
    });
    return table;
  }),
];
