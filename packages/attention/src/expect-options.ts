import { rangeMismatch } from "./expect-argument.js";

/**
 * Refuses options of other names: a mask under a name that another library means the opposite by must not be left
 * unread.
 */
export function expectOptions(where: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw rangeMismatch(`${where}: options`, `only ${known.join(", ")}`, name);
  }
}
