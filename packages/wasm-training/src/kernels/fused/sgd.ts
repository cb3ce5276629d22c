import { floatWord, job } from "../../companion/companion.js";
import { ELEMENTS_OF_TASK } from "../../companion/rows.js";
import { withMemory } from "../../companion/with-memory.js";
import { allocate, sizeOf } from "../../heap.js";
import { companionKernel } from "./companion-kernel.js";

/** One step into new tensors, with the record `Sgd` of `assembly/sgd.ts`. */
const descentKernel = (name: string) =>
  companionKernel(name, ({ inputs, backend, attrs, companion }) => {
    const { value, gradient, momentum: before } = inputs;
    const n = sizeOf(value!.shape);
    const nextValue = allocate(backend, value!.shape);
    const next = before === undefined ? undefined : allocate(backend, value!.shape);
    const outputs = next === undefined ? [nextValue] : [nextValue, next];
    if (n === 0) return outputs;
    const { learningRate, scale, maxValue, decay, momentum = 0, nesterov = 0 } = attrs;
    withMemory(companion, [52], (at) => {
      const places = [value, gradient, before, nextValue, next].map((tensor) =>
        tensor === undefined ? 0 : backend.getMemoryOffset(tensor.dataId),
      );
      const numbers = [scale, maxValue, momentum, 1 - learningRate * decay, learningRate];
      companion.write(at!, [n, ELEMENTS_OF_TASK, nesterov, ...places, ...numbers.map(floatWord)]);
      companion.run(job.sgd, at!, Math.ceil(n / ELEMENTS_OF_TASK), 0, 0);
    });
    return outputs;
  });

/** Gradient descent, and with momentum. */
export const sgdKernels = () => [descentKernel("GradlabSgd"), descentKernel("GradlabMomentum")];
