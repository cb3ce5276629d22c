import type { ImageSource } from "@gradlab/figures";
import type { OpenedBackend } from "../open-backend.js";
import type { Pixels } from "../pictures.js";
import type { ImageData } from "../train-cnn/image-data.js";

/** Numbers, or null where a value does not exist: `[n, jump, size]`, rows of a matrix, … */
export type Value = number | null | readonly Value[];

/** A known value beside the computed one. */
export interface Check {
  readonly name: string;
  readonly known: Value;
  readonly got: Value;
  /** Largest absolute difference allowed, for every number. */
  readonly tolerance: number;
  readonly ok: boolean;
}

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

/** Compares a computed value with a known one, number by number. */
export function check(name: string, known: Value, got: Value, tolerance = 0): Check {
  return { name, known, got, tolerance, ok: agrees(known, got, tolerance) };
}

function agrees(known: Value, got: Value, tolerance: number): boolean {
  if (Array.isArray(known)) {
    const rows: readonly Value[] = known;
    return (
      Array.isArray(got) &&
      got.length === rows.length &&
      rows.every((value, i) => agrees(value, got[i], tolerance))
    );
  }
  if (typeof known !== "number" || typeof got !== "number") return known === got;
  return Math.abs(known - got) <= tolerance;
}
