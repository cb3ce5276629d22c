/** `log Σ exp z - z_k`, in double precision. */
export function crossEntropyOf(logits: ArrayLike<number>, k: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) most = Math.max(most, logits[i]!);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - most);
  return Math.log(sum) + most - logits[k]!;
}

/** The classes from the largest logit to the smallest, equal ones by their number. */
export function rankedClasses(logits: ArrayLike<number>): number[] {
  return Array.from({ length: logits.length }, (_, i) => i).sort((a, b) => logits[b]! - logits[a]! || a - b);
}
