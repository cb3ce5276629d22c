import { floatWord, job } from "../../companion/companion.js";
import { ELEMENTS_OF_TASK } from "../../companion/rows.js";
import { withMemory } from "../../companion/with-memory.js";
import { allocate, sizeOf } from "../../heap.js";
import { companionKernel } from "./companion-kernel.js";

/** Room for the last numbers of four tensors. */
const SCRATCH_BYTES = 64;

/** One step of Adam into new tensors. */
export const adamKernel = () =>
  companionKernel("GradlabAdam", ({ inputs, backend, attrs, companion }) => {
    const { value, gradient, firstMoment, secondMoment } = inputs;
    const n = sizeOf(value!.shape);
    const outputs = [value!, firstMoment!, secondMoment!].map(({ shape }) => allocate(backend, shape));
    if (n === 0) return outputs;
    const { learningRate, beta1, beta2, epsilon, count, scale, maxValue, decay } = attrs;
    const numbers = [
      ...[scale, maxValue, beta1, 1 - beta1, beta2, 1 - beta2, 1 - learningRate * decay],
      ...[learningRate / (1 - beta1 ** count), 1 / Math.sqrt(1 - beta2 ** count), epsilon],
    ];
    withMemory(companion, [80, SCRATCH_BYTES * companion.threads], (at, scratch) => {
      const tensors = [value!, gradient!, firstMoment!, secondMoment!, ...outputs];
      const places = tensors.map(({ dataId }) => backend.getMemoryOffset(dataId));
      companion.write(at!, [n, ELEMENTS_OF_TASK, ...places, ...numbers.map(floatWord)]);
      companion.run(job.adam, at!, Math.ceil(n / ELEMENTS_OF_TASK), scratch!, SCRATCH_BYTES);
    });
    return outputs;
  });
