/** What a union of products has to know of the sets along one axis. */
export interface AxisSets<T> {
  /** Whether all of `a` lies in `b`. */
  readonly isWithin: (a: T, b: T) => boolean;
  /** Both as one, or null where one cannot describe them. */
  readonly join: (a: T, b: T) => T | null;
}

/**
 * Adds a product to a union with what is redundant left out: a product inside
 * another one goes, and two that differ along one axis only become one.
 */
export function addToUnion<T>(
  union: (readonly T[])[],
  product: readonly T[],
  { isWithin, join }: AxisSets<T>,
): void {
  const lies = (a: readonly T[], b: readonly T[]) => a.every((set, axis) => isWithin(set, b[axis]!));
  for (const [i, other] of union.entries()) {
    if (lies(product, other)) return;
    const joined = lies(other, product) ? product : joinAlongOneAxis(product, other, { isWithin, join });
    if (joined === null) continue;
    union.splice(i, 1);
    addToUnion(union, joined, { isWithin, join });
    return;
  }
  union.push(product);
}

/** One product for two that differ along one axis only, else null. */
function joinAlongOneAxis<T>(
  a: readonly T[],
  b: readonly T[],
  { isWithin, join }: AxisSets<T>,
): readonly T[] | null {
  const different = a.flatMap((set, axis) =>
    isWithin(set, b[axis]!) && isWithin(b[axis]!, set) ? [] : [axis],
  );
  const [axis] = different;
  if (different.length !== 1 || axis === undefined) return null;
  const joined = join(a[axis]!, b[axis]!);
  return joined === null ? null : a.with(axis, joined);
}
