import type { ImageSource } from "@gradlab/figures";
import type { Check, Backend as OpenedBackend, Picture as Pixels } from "@gradlab/studies";
import type { ImageData } from "../train-cnn/image-data.js";

/** A picture of a result with the sentence that stands under it. */
export interface Figure {
  readonly caption: string;
  readonly svg: SVGSVGElement;
}

export interface Outcome {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
}

/** A photograph, read from the data folder or drawn where there is none. */
export interface Photograph {
  readonly pixels: Pixels;
  readonly image: ImageSource;
  readonly isGenerated: boolean;
}

/** Images with classes, read from the data folder or drawn where there are none. */
export interface ClassifiedImages extends Pick<ImageData, "train" | "labels"> {
  readonly test: NonNullable<ImageData["test"]>;
  readonly isGenerated: boolean;
}

/** What an experiment may use. */
export interface Laboratory {
  readonly seed: number;
  /** The document that figures are drawn in. */
  readonly document: Document;
  readonly signal: AbortSignal;
  /** Where the tensors of tfjs live: there for experiments that say `usesBackend`, whoever else runs. */
  readonly backend: OpenedBackend | null;
  /** A photograph scaled and cut to a size. */
  photograph(size: readonly [height: number, width: number]): Promise<Photograph>;
  /** Grey images of 28 × 28 pixels in 10 classes: `fashion-mnist-900` of the data folder, or `count` generated ones. */
  classifiedImages(count: number): Promise<ClassifiedImages>;
  embed(pixels: Pixels): Promise<ImageSource>;
}

/** One reproduction of known results. */
export interface Experiment {
  /** `<package>/<topic>`. */
  readonly id: string;
  readonly title: string;
  /** What is shown and where the known values come from, in a few sentences. */
  readonly about: string;
  /** It computes with tensors: a backend that has passed its self-test, with gradients, is loaded before it runs. */
  readonly usesBackend?: true;
  readonly run: (laboratory: Laboratory) => Promise<Outcome>;
}
