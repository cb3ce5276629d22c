import type { Params, ParamsOf, Training } from "@gradlab/core";

/** A copy of the best state of a training so far. */
export class KeptState<S extends ParamsOf<S>> {
  state: S | null = null;

  async keep(state: S): Promise<void> {
    const { mapParams } = await import("@gradlab/core");
    await this.dispose();
    this.state = mapParams(state, (tensor) => tensor.clone());
  }

  /** That of a training that was loaded, which is disposed; averages where it has some. */
  async take(training: Training<S>): Promise<void> {
    const { disposeTraining } = await import("@gradlab/core");
    try {
      await this.keep(training.average ?? training.state);
    } finally {
      disposeTraining(training);
    }
  }

  async dispose(): Promise<void> {
    const { disposeParams } = await import("@gradlab/core");
    if (this.state !== null) disposeParams(this.state as unknown as Params);
    this.state = null;
  }
}
