/** A JSON object: anything may stand under its keys. */
export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value in a message, cut to a length that a terminal bears. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value) && value.length > 8) return `an array of ${value.length} entries`;
  if (isRecord(value)) {
    const keys = Object.keys(value);
    if (keys.length === 0) return "an object without keys";
    return `an object with ${keys.slice(0, 6).join(", ")}${keys.length > 6 ? ", …" : ""}`;
  }
  if (typeof value === "function") return "a function";
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    // Circles, nesting without end, big integers.
    text = Array.isArray(value) ? `an array of ${value.length} entries` : String(value);
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** The error of every converter: `where: expected …, got …`; a TypeError where the type is wrong. */
export function conversionError(where: string, expected: string, got: unknown): RangeError | TypeError {
  const message = `${where}: expected ${expected}, got ${show(got)}`;
  const isValue = typeof got === "string" || typeof got === "number";
  return isValue ? new RangeError(message) : new TypeError(message);
}

/** The same with a phrase in place of a value. */
export function conversionRefusal(where: string, expected: string, got: string): RangeError {
  return new RangeError(`${where}: expected ${expected}, got ${got}`);
}

/**
 * Reads the fields of a JSON object and says which one is wrong. A key in
 * snake_case also finds its camelCase form; null counts as missing.
 */
export class Fields {
  readonly json: JsonRecord;
  /** Where the object stands, for messages. */
  readonly where: string;

  constructor(json: unknown, where: string) {
    if (!isRecord(json)) throw conversionError(where, "an object", json);
    this.json = json;
    this.where = where;
  }

  /** The key as this object spells it. */
  private spelling(key: string): string | undefined {
    const camel = key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    return [key, camel].find((name) => Object.hasOwn(this.json, name));
  }

  get(key: string): unknown {
    const found = this.spelling(key);
    return found === undefined ? undefined : (this.json[found] ?? undefined);
  }

  fail(key: string, expected: string, got: unknown): never {
    throw conversionError(`${this.where}: ${this.spelling(key) ?? key}`, expected, got);
  }

  fields(key: string): Fields {
    const value = this.get(key);
    return isRecord(value) ? new Fields(value, this.where) : this.fail(key, "an object", value);
  }

  list(key: string): readonly unknown[] {
    const value = this.get(key);
    return Array.isArray(value) ? value : this.fail(key, "a list", value);
  }

  /** A non-empty text. */
  text(key: string, fallback?: string): string {
    const value = this.get(key) ?? fallback;
    return typeof value === "string" && value !== "" ? value : this.fail(key, "a text", value);
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.get(key) ?? fallback;
    return typeof value === "boolean" ? value : this.fail(key, "true or false", value);
  }

  /** A positive integer. */
  count(key: string, fallback?: number): number {
    const value = this.get(key) ?? fallback;
    return isCount(value) ? value : this.fail(key, "a positive integer", value);
  }

  /** `length` positive integers; a single one stands for all. */
  counts(key: string, length: number, fallback?: readonly number[]): number[] {
    const given = this.get(key) ?? fallback;
    const values: unknown[] = Array.isArray(given) ? given : Array.from({ length }, () => given);
    if (values.length === length && values.every(isCount)) return values;
    return this.fail(key, length === 1 ? "a positive integer" : `${length} positive integers`, given);
  }

  /** One of a few words; `channelsLast` is read as `channels_last`. */
  word<Word extends string>(key: string, words: readonly Word[], fallback?: Word): Word {
    const value = this.get(key) ?? fallback;
    const plain = typeof value === "string" ? snakeCase(value) : "";
    return words.find((word) => word === plain) ?? this.fail(key, words.join(" or "), value);
  }
}

export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

/** `leakyReLU` is `leaky_re_lu`; words already in snake_case stay. */
export function snakeCase(text: string): string {
  return text.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}
