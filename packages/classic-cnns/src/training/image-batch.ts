import { ShapeError } from "@gradlab/core";
import { Tensor, type Tensor1D, type Tensor4D, tensor1d, tensor4d } from "@tensorflow/tfjs-core";

/** Images with what is seen in them, as `takeBatch`, `batchesOf` and `inOrder` of `@gradlab/datasets` make them. */
export interface ImageArrays {
  /** `[batch, height, width, channels]`, row-major. */
  readonly images: Float32Array;
  readonly shape: readonly [batch: number, height: number, width: number, channels: number];
  /** `[batch]`, in [0, classes). */
  readonly labels: Int32Array;
}

/** The same as tensors. */
export interface ImageTensors {
  /** `[batch, height, width, channels]`, float32. */
  readonly images: Tensor4D;
  /** `[batch]`, int32, in [0, classes). */
  readonly labels: Tensor1D;
}

/** A batch of images. Its tensors belong to the function that gets it, arrays stay as they are. */
export type ImageBatch = ImageArrays | ImageTensors;

/**
 * A batch as tensors, made of arrays or those given.
 *
 * @param caller The function that was called: it begins the messages.
 * @throws {TypeError | ShapeError} when parts are of another kind, or do not fit each other; given tensors are disposed.
 */
export function imageTensors(caller: string, batch: ImageBatch): ImageTensors {
  const { images, labels } = batch ?? {};
  if (images instanceof Tensor && labels instanceof Tensor) {
    try {
      expectTensors(caller, images, labels);
    } catch (error) {
      images.dispose();
      labels.dispose();
      throw error;
    }
    return { images, labels };
  }
  if (!(images instanceof Float32Array && labels instanceof Int32Array)) {
    throw new TypeError(
      `${caller}: batch: expected {images, labels} as tensors, or {images, shape, labels} as a Float32Array and an Int32Array, got ${kindOf(images)} and ${kindOf(labels)}`,
    );
  }
  const { shape } = batch as ImageArrays;
  const isShape = Array.isArray(shape) && shape.length === 4;
  if (!isShape || shape.reduce((a, b) => a * b, 1) !== images.length) {
    const got = `[${Array.isArray(shape) ? shape.join(", ") : String(shape)}]`;
    throw new ShapeError(
      `${caller}: shape: expected [batch, height, width, channels] of ${images.length} numbers, got ${got}`,
    );
  }
  if (labels.length !== shape[0]) {
    throw new ShapeError(`${caller}: labels: expected [${shape[0]}], got [${labels.length}]`);
  }
  return {
    images: tensor4d(images, shape as [number, number, number, number]),
    labels: tensor1d(labels, "int32"),
  };
}

function expectTensors(caller: string, images: Tensor, labels: Tensor): void {
  if (labels.rank !== 1 || labels.shape[0] !== images.shape[0]) {
    throw new ShapeError(
      `${caller}: labels: expected [${images.shape[0]}], got [${labels.shape.join(", ")}]`,
    );
  }
  if (labels.dtype !== "int32") {
    throw new TypeError(`${caller}: labels: expected int32, got ${labels.dtype}`);
  }
}

function kindOf(value: unknown): string {
  if (value instanceof Tensor) return "a tensor";
  if (typeof value !== "object" || value === null) return String(value);
  return value.constructor?.name ?? "an object";
}
