/** What a pickle builds: Python's plain values, and whatever the callables of `PickleHooks` return. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PickleValue[]
  | PickleDict
  | PickleGlobal
  | PickleObject;

/** A dict, an `OrderedDict` too; a Map, so that no key is special. */
export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>();
}

/** A name of a Python module, such as a class: never looked up, only compared with those that are known. */
export class PickleGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** The base of what only a reader of a certain kind of pickle knows, such as a tensor. */
export abstract class PickleObject {
  /** What it is, for the messages. */
  abstract readonly kind: string;
}

/** A value that is carried along and that nobody looks into. */
export class OpaqueValue extends PickleObject {
  readonly kind: string;

  constructor(kind: string) {
    super();
    this.kind = kind;
  }
}

/** The kind of a value as an error message shows it. */
export function kindOf(value: PickleValue): string {
  if (value === null) return "None";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof PickleDict) return "a dict";
  if (value instanceof PickleGlobal) return value.name;
  if (value instanceof PickleObject) return value.kind;
  if (typeof value === "string") return "a string";
  return `${value}`;
}
