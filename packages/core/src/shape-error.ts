/** A tensor has another shape than its use asks for. */
export class ShapeError extends RangeError {
  override readonly name = "ShapeError";
}
