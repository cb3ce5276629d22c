import { job } from "../../companion/companion.js";
import { ELEMENTS_OF_TASK } from "../../companion/rows.js";
import { withMemory } from "../../companion/with-memory.js";
import { allocate, sizeOf } from "../../heap.js";
import { companionKernel } from "./companion-kernel.js";

/** With the record `Gelu` of `assembly/gelu.ts`. */
const geluKernel = (name: string, number: number) =>
  companionKernel(name, ({ inputs, backend, attrs, companion }) => {
    const x = inputs.x!;
    const n = sizeOf(x.shape);
    const out = allocate(backend, x.shape);
    if (n === 0) return out;
    withMemory(companion, [24], (at) => {
      const [from, dy, to] = [x, inputs.dy, out].map((tensor) =>
        tensor === undefined ? 0 : backend.getMemoryOffset(tensor.dataId),
      );
      companion.write(at!, [n, ELEMENTS_OF_TASK, attrs.approximate, from!, dy!, to!]);
      companion.run(number, at!, Math.ceil(n / ELEMENTS_OF_TASK), 0, 0);
    });
    return out;
  });

/** The Gaussian error linear unit and its gradient. */
export const geluKernels = () => [
  geluKernel("GradlabGelu", job.gelu),
  geluKernel("GradlabGeluGrad", job.geluGradient),
];
