import { engine } from "@tensorflow/tfjs-core";

/**
 * Runs a computation of which an outer gradient shall know nothing: constants that take many steps to compute. They are
 * not recorded, and gradients inside are first derivatives, for which the fast kernels are there.
 */
export function outsideOfTape<T>(compute: () => T): T {
  const { state } = engine();
  const { gradientDepth, activeTape } = state;
  state.gradientDepth = 0;
  delete (state as { activeTape?: unknown }).activeTape;
  try {
    return compute();
  } finally {
    state.gradientDepth = gradientDepth;
    if (activeTape !== undefined) state.activeTape = activeTape;
  }
}
