const LONGEST = 60;

/** A value as an error message shows it: one line, short whatever the value is. */
export function describe(value: unknown): string {
  if (typeof value === "string") {
    const head = value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
    return JSON.stringify(head);
  }
  if (Array.isArray(value)) {
    const head = value.slice(0, 8).map((item) => (Array.isArray(item) ? "[…]" : describe(item)));
    return `[${[...head, ...(value.length > 8 ? ["…"] : [])].join(", ")}]`;
  }
  if (ArrayBuffer.isView(value)) {
    const length = "length" in value ? ` of ${value.length}` : "";
    return kindOf(value) + length;
  }
  if (typeof value === "object" && value !== null) return kindOf(value);
  if (typeof value === "function") return "a function";
  return String(value);
}

/** The built-in kind of an object (`"Float32Array"`, `"Object"`), whichever realm made it. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
