import { typeMismatch } from "../expect-argument.js";

/** The names of the classes are at fault. */
const fail = (expected: string, got: string): RangeError =>
  new RangeError(`parseLabels: ${expected}, got ${got}`);

export interface ParseLabelsOptions {
  /** How many classes there are; another number of labels is an error. Any unless given. */
  readonly classes?: number;
}

/**
 * The names of the classes from the text of a label file: entry i is the name of class i. The forms are
 *
 * - lines, one name each; an identifier of ImageNet before the name (`n01440764 tench`) is left out;
 * - a JSON list of names: `["tench", "goldfish"]`;
 * - a JSON object by class, `{"0": "tench", "1": "goldfish"}`, or by name, `{"tench": 0, "goldfish": 1}`;
 *
 * and in both kinds of JSON an entry may be a list that ends with the name: `["n01440764", "tench"]`. Names may come
 * twice (ImageNet has two of "crane").
 *
 * @param text Of the whole file.
 * @throws {RangeError} when the text is none of these, a name is missing or empty, or there are not as many as `classes`.
 * @throws {TypeError} when `text` is no string.
 */
export function parseLabels(text: string, { classes }: ParseLabelsOptions = {}): string[] {
  if (typeof text !== "string") throw typeMismatch("parseLabels: text", "a string", text);
  const content = text.replace(/^\uFEFF/, "").trim();
  const labels = /^[[{]/.test(content) ? fromJson(content) : fromLines(content);
  if (labels.length === 0) throw fail("text: expected at least one label", "none");
  if (classes !== undefined && labels.length !== classes) {
    throw fail(`text: expected ${classes} labels, one per class`, `${labels.length}`);
  }
  return labels;
}

function fromLines(content: string): string[] {
  if (content === "") return [];
  return content.split(/\r\n|\r|\n/).map((line, i) => {
    const label = line.trim().replace(/^n\d{8}\s+/, "");
    if (label === "") throw fail(`line ${i + 1}: expected a label`, "an empty line");
    return label;
  });
}

function fromJson(content: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw fail("text: expected lines or JSON", (error as Error).message);
  }
  if (Array.isArray(value)) return value.map((entry, i) => nameOf(entry, `${i}`));
  const given = Object.entries(value as object);
  const isByName = given.length > 0 && given.every(([, place]) => Number.isSafeInteger(place));
  const entries = new Map<string, unknown>(
    isByName ? given.map(([name, place]) => [`${place}`, name]) : given,
  );
  if (entries.size < given.length) throw fail("text: expected a name for every class", "two names for one");
  return Array.from(entries, (_, i) => {
    if (!entries.has(`${i}`)) {
      const keys = [...entries.keys()].slice(0, 3).map((key) => JSON.stringify(key.slice(0, 40)));
      throw fail(`text: expected the keys "0" to "${entries.size - 1}"`, `${keys.join(", ")} without "${i}"`);
    }
    return nameOf(entries.get(`${i}`), `${i}`);
  });
}

function nameOf(entry: unknown, index: string): string {
  const name = Array.isArray(entry) ? entry.at(-1) : entry;
  if (typeof name === "string" && name.trim() !== "") return name.trim();
  throw fail(
    `entry ${index}: expected a name, or a list that ends with one`,
    (JSON.stringify(entry) ?? "").slice(0, 40),
  );
}
