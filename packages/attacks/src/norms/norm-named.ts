import type { Norm, NormName } from "./norm.js";
import { norms } from "./norms.js";

/** @throws {RangeError} when there is no such norm, or the caller has nothing for it. */
export function normNamed(
  caller: string,
  name: NormName,
  among: readonly NormName[] = ["linf", "l2", "l1"],
): Norm {
  if (!among.includes(name)) {
    const known = among.map((each) => `"${each}"`).join(" or ");
    throw new RangeError(`${caller}: norm: expected ${known}, got ${String(name)}`);
  }
  return norms[name];
}
