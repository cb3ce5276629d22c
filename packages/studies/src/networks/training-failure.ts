import type { NonFiniteError, OptimizerConfig } from "@gradlab/core";
import type { InputFiles } from "../declaration/option.js";
import { StudyError } from "../declaration/study-error.js";
import { lastCheckpoint } from "./checkpoint.js";

/** The end of a training that was stopped. */
export function interruption(step: number, checkpoint: InputFiles | undefined): StudyError {
  const kept =
    checkpoint === undefined
      ? "nothing was kept ({checkpoint} DIR keeps it)"
      : `${checkpoint.label}/${lastCheckpoint} holds it ({resume} goes on)`;
  return new StudyError("interrupted", `interrupted after step ${step}; ${kept}`);
}

/** A loss or gradient that is no number any more, in words that help. */
export function divergence(
  error: NonFiniteError,
  { learningRate }: OptimizerConfig,
  perEpoch: number,
  checkpoint: InputFiles | undefined,
): StudyError {
  const [what, value] = Number.isFinite(error.loss)
    ? ["gradient norm", error.gradientNorm]
    : ["loss", error.loss];
  const epochs = Math.floor(error.step / perEpoch);
  const kept =
    checkpoint === undefined || epochs === 0
      ? ""
      : `; ${checkpoint.label}/${lastCheckpoint} holds it as it was after epoch ${epochs}`;
  return new StudyError(
    "input",
    `the training diverged: the ${what} of step ${error.step + 1} is ${value}; try an {lr} below ${learningRate}${kept}`,
    { cause: error },
  );
}
