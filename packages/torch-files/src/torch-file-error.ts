/**
 * A file that is no valid PyTorch checkpoint, or holds what is not read: the bytes are at fault.
 * Wrong arguments are plain `TypeError`s and `RangeError`s instead.
 */
export class TorchFileError extends RangeError {
  override readonly name = "TorchFileError";
}
