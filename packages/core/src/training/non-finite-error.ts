/** The loss or the norm of the gradient is not a finite number; the update was not applied. */
export class NonFiniteError extends RangeError {
  override readonly name = "NonFiniteError";
  /** How many updates had been applied, which is where the training stands. */
  readonly step: number;
  readonly loss: number;
  readonly gradientNorm: number;

  constructor(step: number, loss: number, gradientNorm: number, caller = "train") {
    const [what, got] = Number.isFinite(loss) ? ["gradient norm", gradientNorm] : ["loss", loss];
    super(`${caller}: ${what} after ${step} updates: expected a finite number, got ${got}`);
    this.step = step;
    this.loss = loss;
    this.gradientNorm = gradientNorm;
  }
}
