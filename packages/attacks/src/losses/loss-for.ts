import type { Sample } from "../driver/sample.js";
import { crossEntropy, type Loss } from "./loss.js";

/**
 * What is raised for a sample: the form of the loss that is about the target where there is one, and what takes its
 * place where it is undefined for so few classes.
 *
 * @throws {TypeError} when the loss is about a target and the sample has none.
 */
export function lossFor(
  { target, classes }: Pick<Sample, "target" | "classes">,
  loss: Loss = crossEntropy,
): Loss {
  const form = target === null ? loss : (loss.targeted ?? loss);
  if (target === null && form.about !== "label") {
    throw new TypeError(`${form.name}: targets: expected a class for each image, got none`);
  }
  return definedFor(form, classes);
}

/** The loss, or what takes its place for so few classes. */
export function definedFor(loss: Loss, classes: number): Loss {
  return classes >= loss.leastClasses ? loss : definedFor(loss.fallback!, classes);
}
