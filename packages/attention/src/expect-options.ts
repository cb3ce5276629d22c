import { rangeMismatch, typeMismatch } from "./expect-argument.js";

/**
 * Refuses options of other names: a mask under a name that another library means the opposite by must not be left
 * unread.
 */
export function expectOptions(
  where: string,
  options: object,
  known: readonly string[],
  what: "options" | "config" = "options",
): void {
  if (typeof options !== "object" || options === null) {
    throw typeMismatch(`${where}: ${what}`, `a record of ${known.join(", ")}`, options);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw rangeMismatch(`${where}: ${what}`, `only ${known.join(", ")}`, name);
  }
}
