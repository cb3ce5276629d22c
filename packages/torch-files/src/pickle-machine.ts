import { kindOf, OpaqueValue, PickleDict, PickleGlobal, type PickleValue } from "./pickle-values.js";
import { quote } from "./show.js";
import { TorchFileError } from "./torch-file-error.js";

/** What a pickle may ask for beyond plain values; both throw a `TorchFileError` for what they do not know. */
export interface PickleHooks {
  /** The global `module name`; refused here, it is refused before anything is made of it. */
  readonly findGlobal: (name: string) => PickleGlobal;
  /** What calling a global gives. Nothing is executed: each global that is known is a case of a table. */
  readonly call: (callable: PickleGlobal, args: readonly PickleValue[]) => PickleValue;
  /** What stands outside of the pickle under this id. */
  readonly persistentLoad: (id: PickleValue) => PickleValue;
}

/** The most operations of one pickle: some 60,000 tensors. What they can build takes less than 1 GB. */
export const MAX_OPERATIONS = 2 ** 21;

/** The highest protocol of pickles that there is. */
const HIGHEST_PROTOCOL = 5;

/** The longest integer, in bytes; the magic number of the legacy format has 10. */
const LONGEST_INTEGER = 16;

const MARK = Symbol("mark");

/**
 * The stack machine of Python's pickles, protocols 2 to 5, cut down to the operations that a dict of tensors takes.
 * It makes plain values and asks its hooks for the rest; it has no operation that could run anything, and every other
 * one is an error with its byte. Time is linear in the bytes, and there is no recursion.
 *
 * @param bytes The pickle starts at `start` and ends where it says so.
 * @returns The value, and the first byte behind the pickle.
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */
export function runPickle(
  bytes: Uint8Array,
  start: number,
  hooks: PickleHooks,
): { readonly value: PickleValue; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const stack: (PickleValue | typeof MARK)[] = [];
  const marks: number[] = [];
  const memo = new Map<number, PickleValue>();
  let at = start;
  let begin = start; // of the operation under way

  const fail = (expected: string, got: string): TorchFileError =>
    new TorchFileError(`readTorch: pickle: byte ${begin}: expected ${expected}, got ${got}`);
  /** Moves behind the next `count` bytes and returns where they start. */
  const take = (count: number): number => {
    if (count > bytes.length - at) throw fail(`${count} more bytes`, `${bytes.length - at}`);
    at += count;
    return at - count;
  };
  const size4 = () => view.getUint32(take(4), true);
  const size8 = () => Number(view.getBigUint64(take(8), true));
  const slice = (count: number) => {
    const from = take(count);
    return bytes.subarray(from, from + count);
  };
  const text = (count: number): string => {
    const raw = slice(count);
    try {
      return utf8.decode(raw);
    } catch {
      throw fail("a string in UTF-8", "other bytes");
    }
  };
  /** Python 2 has one type for texts and bytes. */
  const byteString = (count: number): PickleValue => {
    const raw = slice(count);
    try {
      return utf8.decode(raw);
    } catch {
      return raw;
    }
  };
  /** Up to the end of the line. */
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    if (end < 0) throw fail("a line", "none that ends");
    const found = text(end - at);
    at++;
    return found;
  };
  /** Little-endian two's complement. */
  const integer = (count: number): number | bigint => {
    if (count > LONGEST_INTEGER) throw fail(`an integer of at most ${LONGEST_INTEGER} bytes`, `${count}`);
    let value = 0n;
    const raw = slice(count);
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(raw[i]!);
    value = BigInt.asIntN(8 * count, value);
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : value;
  };
  const pop = (): PickleValue => {
    const value = stack.pop();
    if (value === undefined || value === MARK) throw fail("a value on the stack", "none");
    return value;
  };
  const top = (): PickleValue => {
    const value = stack.at(-1);
    if (value === undefined || value === MARK) throw fail("a value on the stack", "none");
    return value;
  };
  /** All values above the last mark, which goes too. */
  const popMark = (): PickleValue[] => {
    const mark = marks.pop();
    if (mark === undefined) throw fail("a mark on the stack", "none");
    const values = stack.splice(mark + 1) as PickleValue[];
    stack.length = mark;
    return values;
  };
  const popCount = (count: number): PickleValue[] => Array.from({ length: count }, pop).reverse();
  const topList = (): PickleValue[] => {
    const list = top();
    // A list of a class of its own, of which only the kind is kept.
    if (list instanceof OpaqueValue) return [];
    if (!Array.isArray(list)) throw fail("a list to append to", kindOf(list));
    return list;
  };
  const setItems = (dict: PickleValue, items: readonly PickleValue[]): void => {
    if (dict instanceof OpaqueValue) return;
    if (!(dict instanceof PickleDict)) throw fail("a dict to fill", kindOf(dict));
    if (items.length % 2 !== 0) throw fail("pairs of key and value", `${items.length} values`);
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (dict.entries.has(key)) {
        throw fail("every key of a dict once", `${typeof key === "string" ? quote(key) : kindOf(key)} twice`);
      }
      dict.entries.set(key, items[i + 1]!);
    }
  };
  const dictOf = (items: readonly PickleValue[]): PickleDict => {
    const dict = new PickleDict();
    setItems(dict, items);
    return dict;
  };
  const recall = (index: number): PickleValue => {
    const value = memo.get(index);
    if (value === undefined) throw fail("a value kept before", `index ${index}`);
    return value;
  };
  const globalOf = (module: string, name: string): PickleGlobal => hooks.findGlobal(`${module}.${name}`);

  for (let operations = 0; ; operations++) {
    begin = at;
    if (operations === MAX_OPERATIONS) throw fail(`an end within ${MAX_OPERATIONS} operations`, "none");
    const code = bytes[take(1)]!;
    switch (code) {
      case 0x80: {
        const protocol = bytes[take(1)]!;
        if (protocol > HIGHEST_PROTOCOL) throw fail(`a protocol up to ${HIGHEST_PROTOCOL}`, `${protocol}`);
        break;
      }
      case 0x95: // FRAME: a hint for buffering
        take(8);
        break;
      case 0x2e: {
        // STOP
        const value = pop();
        if (stack.length > 0) throw fail("one value on the stack", `${stack.length + 1}`);
        return { value, end: at };
      }
      case 0x28: // MARK
        marks.push(stack.length);
        stack.push(MARK);
        break;

      // Constants
      case 0x4e:
        stack.push(null);
        break;
      case 0x88:
        stack.push(true);
        break;
      case 0x89:
        stack.push(false);
        break;
      case 0x4b: // BININT1
        stack.push(bytes[take(1)]!);
        break;
      case 0x4d: // BININT2
        stack.push(view.getUint16(take(2), true));
        break;
      case 0x4a: // BININT
        stack.push(view.getInt32(take(4), true));
        break;
      case 0x8a: // LONG1
        stack.push(integer(bytes[take(1)]!));
        break;
      case 0x47: // BINFLOAT
        stack.push(view.getFloat64(take(8), false));
        break;
      case 0x8c: // SHORT_BINUNICODE
        stack.push(text(bytes[take(1)]!));
        break;
      case 0x55: // SHORT_BINSTRING, of Python 2
        stack.push(byteString(bytes[take(1)]!));
        break;
      case 0x58: // BINUNICODE
        stack.push(text(size4()));
        break;
      case 0x54: // BINSTRING
        stack.push(byteString(size4()));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(text(size8()));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(slice(bytes[take(1)]!));
        break;
      case 0x42: // BINBYTES
        stack.push(slice(size4()));
        break;

      // Tuples and lists; that a tuple is constant plays no part here
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        stack.push([]);
        break;
      case 0x74: // TUPLE
      case 0x6c: // LIST
        stack.push(popMark());
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        stack.push(popCount(code - 0x84));
        break;
      case 0x61: {
        // APPEND
        const item = pop();
        topList().push(item);
        break;
      }
      case 0x65: {
        // APPENDS
        const items = popMark();
        const list = topList();
        for (const item of items) list.push(item);
        break;
      }

      // Dicts and sets
      case 0x7d: // EMPTY_DICT
        stack.push(new PickleDict());
        break;
      case 0x64: // DICT
        stack.push(dictOf(popMark()));
        break;
      case 0x73: {
        // SETITEM
        const pair = popCount(2);
        setItems(top(), pair);
        break;
      }
      case 0x75: {
        // SETITEMS
        const items = popMark();
        setItems(top(), items);
        break;
      }
      case 0x8f: // EMPTY_SET
        stack.push(new OpaqueValue("a set"));
        break;
      case 0x90: // ADDITEMS
        popMark();
        top();
        break;
      case 0x91: // FROZENSET
        popMark();
        stack.push(new OpaqueValue("a frozenset"));
        break;

      // Values that come again
      case 0x71: // BINPUT
        memo.set(bytes[take(1)]!, top());
        break;
      case 0x72: // LONG_BINPUT
        memo.set(size4(), top());
        break;
      case 0x94: // MEMOIZE
        memo.set(memo.size, top());
        break;
      case 0x68: // BINGET
        stack.push(recall(bytes[take(1)]!));
        break;
      case 0x6a: // LONG_BINGET
        stack.push(recall(size4()));
        break;

      // What is not plain
      case 0x63: // GLOBAL
        stack.push(globalOf(line(), line()));
        break;
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = popCount(2);
        if (typeof module !== "string" || typeof name !== "string") {
          throw fail("the name of a global", `${kindOf(module!)} and ${kindOf(name!)}`);
        }
        stack.push(globalOf(module, name));
        break;
      }
      case 0x52: {
        // REDUCE
        const [callable, args] = popCount(2);
        if (!(callable instanceof PickleGlobal)) throw fail("a global to call", kindOf(callable!));
        if (!Array.isArray(args)) throw fail("a tuple of arguments", kindOf(args!));
        stack.push(hooks.call(callable, args));
        break;
      }
      case 0x81: {
        // NEWOBJ: an object without attributes
        const [type, args] = popCount(2);
        if (!(type instanceof PickleGlobal)) throw fail("a global to make an object of", kindOf(type!));
        if (!Array.isArray(args)) throw fail("a tuple of arguments", kindOf(args!));
        stack.push(hooks.call(type, args));
        break;
      }
      case 0x96: // BYTEARRAY8
        stack.push(slice(size8()));
        break;
      case 0x8e: // BINBYTES8
        stack.push(slice(size8()));
        break;
      case 0x62: // BUILD: the attributes of an object, such as the `_metadata` of a state dict
        pop();
        top();
        break;
      case 0x51: // BINPERSID
        stack.push(hooks.persistentLoad(pop()));
        break;
      default:
        throw fail("an operation of a dict of tensors", `0x${code.toString(16).padStart(2, "0")}`);
    }
  }
}
