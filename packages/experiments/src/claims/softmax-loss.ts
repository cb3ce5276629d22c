/**
 * The cross-entropy of a label, and its gradient by the logits z, with one softmax as it should be, or with two: the
 * loss then takes softmax(z) for logits.
 *
 * With p = softmax(z) and q = softmax(p), the gradient by p is g = q − [label], and by z it is p ∘ (g − p · g).
 */
export function softmaxLoss(
  z: Float64Array,
  label: number,
  softmaxes: 1 | 2,
): { readonly loss: number; readonly gradient: Float64Array } {
  const p = softmax(z);
  const [outputs, q] = softmaxes === 1 ? [z, p] : [p, softmax(p)];
  const largest = outputs.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const sum = outputs.reduce((total, value) => total + Math.exp(value - largest), 0);
  const loss = largest + Math.log(sum) - outputs[label]!;
  const g = q.map((value, c) => value - +(c === label));
  if (softmaxes === 1) return { loss, gradient: g };
  const along = g.reduce((total, value, c) => total + value * p[c]!, 0);
  return { loss, gradient: g.map((value, c) => p[c]! * (value - along)) };
}

function softmax(z: Float64Array): Float64Array {
  const largest = z.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const powers = z.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}
