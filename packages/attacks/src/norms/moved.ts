/** `x + step · direction`, in double precision. */
export function moved(x: ArrayLike<number>, step: number, direction: ArrayLike<number>): Float64Array {
  const result = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) result[i] = x[i]! + step * direction[i]!;
  return result;
}
