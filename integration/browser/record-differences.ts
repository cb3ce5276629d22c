/** Where two records differ, by path: other keys, texts or integers, or numbers that are further apart than allowed. */
export function differences(got: unknown, known: unknown, relative: number, path = ""): string[] {
  // Numbers above a billion are no counts.
  if (typeof got === "number" && typeof known === "number" && !(Number.isInteger(known) && known < 1e9)) {
    const allowed = relative * Math.max(Math.abs(got), Math.abs(known), 1e-6);
    return Math.abs(got - known) <= allowed ? [] : [`${path}: ${got} instead of ${known}`];
  }
  if (typeof got !== "object" || got === null || typeof known !== "object" || known === null) {
    return Object.is(got, known)
      ? []
      : [`${path}: ${JSON.stringify(got)} instead of ${JSON.stringify(known)}`];
  }
  const keys = new Set([...Object.keys(got), ...Object.keys(known)]);
  return [...keys].flatMap((key) => {
    // Times differ.
    if (key === "milliseconds" || key === "seconds") return [];
    if (!Object.hasOwn(got, key) || !Object.hasOwn(known, key))
      return [`${path}.${key}: in one of them only`];
    const [a, b] = [got, known].map((side) => (side as Record<string, unknown>)[key]);
    return differences(a, b, relative, `${path}.${key}`);
  });
}
