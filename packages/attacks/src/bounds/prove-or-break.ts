import type { SampleResult } from "../driver/result.js";
import { rangeMismatch } from "../expect-argument.js";
import type { CertifiedMargin } from "./certified-margins.js";

/** What is known of each sample within ε: nothing can break it, this image has, or neither. */
export interface ProvenShares {
  readonly verdicts: readonly ("proven" | "broken" | "open")[];
  /** Shares of all samples; they sum to 1. Samples that are wrong as they are count as broken. */
  readonly proven: number;
  readonly broken: number;
  readonly open: number;
}

/**
 * Puts bounds and attacks of the same samples together.
 *
 * @param margins Of `certifiedMargins`, at the ε of the attack.
 * @param samples Of `runAttack`, in the same order.
 * @throws {RangeError} when there are not as many, or a sample is both proven and broken: then one of the two is wrong.
 */
export function proveOrBreak(
  margins: readonly CertifiedMargin[],
  samples: readonly SampleResult[],
): ProvenShares {
  if (margins.length !== samples.length) {
    throw rangeMismatch("proveOrBreak: samples", `${margins.length} samples`, samples);
  }
  const verdicts = samples.map(({ success, id }, i) => {
    const isProven = margins[i]!.margin > 0;
    if (isProven && success) {
      throw new RangeError(
        `proveOrBreak: samples[${i}]: expected no adversarial image of what is proven robust, got one of sample ${id}: are ε and the network the same?`,
      );
    }
    return success ? "broken" : isProven ? "proven" : "open";
  });
  const share = (verdict: "proven" | "broken" | "open") =>
    verdicts.length === 0 ? 0 : verdicts.filter((each) => each === verdict).length / verdicts.length;
  return { verdicts, proven: share("proven"), broken: share("broken"), open: share("open") };
}
