/**
 * The plain JSON of a record: typed arrays and bytes are what a figure or a file needs, and stay out; so does all that
 * stands under `beside`.
 */
export function recordJson(record: object): Record<string, unknown> {
  return withoutArrays(record) as Record<string, unknown>;
}

function withoutArrays(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutArrays);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) =>
      key === "beside" || isBinary(entry) ? [] : [[key, withoutArrays(entry)] as const],
    ),
  );
}

/** A typed array, or a list of them. */
function isBinary(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((entry) => ArrayBuffer.isView(entry));
  return ArrayBuffer.isView(value);
}
