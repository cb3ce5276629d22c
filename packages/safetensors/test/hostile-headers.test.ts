import { expect, test } from "vitest";
import {
  readSafetensors,
  readSafetensorsHeader,
  SafetensorsError,
  safetensorsHeaderLength,
} from "../src/index.js";
import { composeFile } from "./compose-file.js";

const entry = (shape: string, offsets: string, dtype = '"U8"') =>
  `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`;
const one = (shape: string, offsets: string, dtype?: string) => `{"a":${entry(shape, offsets, dtype)}}`;
const two = (a: string, b: string) => `{"a":${entry("[4]", a)},"b":${entry("[4]", b)}}`;

const DTYPES = "one of I64, F64, F32, I32, BF16, F16, I16, I8, U8, BOOL";
const KEYS = "the keys dtype, shape and data_offsets";
const INTEGER = "an integer from 0 to 2^53 - 1";
const OFFSETS = "[begin, end] with begin <= end < 2^53";

/** What is refused, the file, and the message behind `readSafetensors: `. */
const cases: [string, Uint8Array, string][] = [
  ["an empty file", new Uint8Array(0), "bytes: expected at least 8, got 0"],
  ["a file of 7 bytes", new Uint8Array(7), "bytes: expected at least 8, got 7"],
  ["a header of 0 bytes", composeFile("", 4), "header length: expected 2 to 100000000 bytes, got 0"],
  [
    "a header longer than the file",
    composeFile("{}", 0, 3n),
    "bytes: expected at least 11 for the length and the header, got 10",
  ],
  [
    "a header length that ends inside the header",
    composeFile(one("[1]", "[0,1]"), 1, 13n),
    'tensor "a": expected a colon after the key, got the end of the header',
  ],
  [
    "a header length that reaches into the data",
    composeFile(one("[1]", "[0,1]"), new Uint8Array([65]), 54n),
    "the header: expected nothing but spaces after the closing brace, got A",
  ],
  [
    "a header over 100 MB",
    composeFile("{}", 0, 100_000_001n),
    "header length: expected 2 to 100000000 bytes, got 100000001",
  ],
  [
    "a header length of 2^64 - 1",
    composeFile("{}", 0, 2n ** 64n - 1n),
    "header length: expected 2 to 100000000 bytes, got 18446744073709551615",
  ],
  [
    "a header length whose low half is small",
    composeFile("{}", 0, 2n ** 32n + 2n),
    "header length: expected 2 to 100000000 bytes, got 4294967298",
  ],
  [
    "a header that is not UTF-8",
    composeFile(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])),
    "the header: expected UTF-8, got bytes that are not",
  ],
  [
    "a surrogate in UTF-8",
    composeFile(new Uint8Array([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d])),
    "the header: expected UTF-8, got bytes that are not",
  ],
  ["a byte order mark", composeFile("\ufeff{}"), 'the header: expected a first byte 0x7b ("{"), got 0xef'],
  [
    "a header that starts with a space",
    composeFile(" {}"),
    'the header: expected a first byte 0x7b ("{"), got 0x20',
  ],
  ["a header that is an array", composeFile("[]"), 'the header: expected a first byte 0x7b ("{"), got 0x5b'],
  [
    "a header that is never closed",
    composeFile("{ "),
    "the header: expected a key in quotes, got the end of the header",
  ],
  [
    "a second value after the header",
    composeFile("{}{}"),
    "the header: expected nothing but spaces after the closing brace, got {",
  ],
  [
    "a NUL after the header",
    composeFile("{}\0"),
    "the header: expected nothing but spaces after the closing brace, got \\u0000",
  ],
  [
    "a trailing comma",
    composeFile(`{"a":${entry("[0]", "[0,0]")},}`),
    "the header: expected a key in quotes, got }",
  ],
  [
    "a missing comma",
    composeFile('{"__metadata__":{"a":"b" "c":"d"}}'),
    '__metadata__: expected "," or "}", got "c"',
  ],
  ["a key without quotes", composeFile("{a:1}"), "the header: expected a key in quotes, got a:1"],
  ["a missing colon", composeFile('{"a" {}}'), "the header: expected a colon after the key, got {"],
  ["a tensor that is null", composeFile('{"a":null}'), 'tensor "a": expected an object, got null'],
  ["a tensor that is a number", composeFile('{"a":1e999}'), 'tensor "a": expected an object, got 1e999'],
  ["a tensor that is an array", composeFile('{"a":[]}'), 'tensor "a": expected an object, got ['],
  [
    "a million open brackets",
    composeFile(`{"a":${"[".repeat(1e6)}`),
    'tensor "a": expected an object, got [',
  ],
  [
    "a million nested objects in place of a shape",
    composeFile(`{"a":{"shape":[${'{"a":'.repeat(1e6)}`),
    `tensor "a": shape: expected ${INTEGER}, got {`,
  ],
  [
    "a name that comes twice",
    composeFile(`{"a":${entry("[1]", "[0,1]")},"a":${entry("[1]", "[1,2]")}}`, 2),
    'the header: expected every key once, got "a" twice',
  ],
  [
    "a name that comes again as an escape",
    composeFile(`{"a":${entry("[1]", "[0,1]")},"\\u0061":${entry("[1]", "[1,2]")}}`, 2),
    'the header: expected every key once, got "a" twice',
  ],
  [
    "__proto__ twice",
    composeFile(`{"__proto__":${entry("[1]", "[0,1]")},"__proto__":${entry("[1]", "[1,2]")}}`, 2),
    'the header: expected every key once, got "__proto__" twice',
  ],
  [
    "metadata that comes twice",
    composeFile('{"__metadata__":{},"__metadata__":{}}'),
    'the header: expected every key once, got "__metadata__" twice',
  ],
  [
    "a metadata key that comes twice",
    composeFile('{"__metadata__":{"k":"1","k":"2"}}'),
    '__metadata__: expected every key once, got "k" twice',
  ],
  [
    "a key of a tensor that comes twice",
    composeFile('{"a":{"dtype":"U8","dtype":"F64"}}'),
    'tensor "a": expected every key once, got "dtype" twice',
  ],
  [
    "an unknown key",
    composeFile('{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"strides":[1]}}', 1),
    `tensor "a": expected ${KEYS}, got "strides"`,
  ],
  [
    "the key `offsets` of old descriptions",
    composeFile('{"a":{"dtype":"U8","shape":[],"offsets":[0,1]}}', 1),
    `tensor "a": expected ${KEYS}, got "offsets"`,
  ],
  [
    "the key __proto__ in a tensor",
    composeFile('{"a":{"__proto__":{"dtype":"U8"},"shape":[],"data_offsets":[0,1]}}', 1),
    `tensor "a": expected ${KEYS}, got "__proto__"`,
  ],
  [
    "no dtype",
    composeFile('{"a":{"shape":[],"data_offsets":[0,1]}}', 1),
    `tensor "a": expected ${KEYS}, got no dtype`,
  ],
  [
    "no shape",
    composeFile('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1),
    `tensor "a": expected ${KEYS}, got no shape`,
  ],
  [
    "no data_offsets",
    composeFile('{"a":{"dtype":"U8","shape":[]}}'),
    `tensor "a": expected ${KEYS}, got no data_offsets`,
  ],
  ["an empty entry", composeFile('{"a":{}}'), `tensor "a": expected ${KEYS}, got no dtype`],
  [
    "too few bytes for a dtype that is not used",
    composeFile(one("[3]", "[0,5]", '"U16"'), 5),
    'tensor "a": data_offsets: expected 6 bytes between them for U16 [3], got 5 ([0, 5])',
  ],
  [
    "a dtype that is a property of every object",
    composeFile(one("[1]", "[0,1]", '"constructor"'), 1),
    `tensor "a": dtype: expected ${DTYPES}, got "constructor"`,
  ],
  [
    "a dtype in small letters",
    composeFile(one("[1]", "[0,1]", '"u8"'), 1),
    `tensor "a": dtype: expected ${DTYPES}, got "u8"`,
  ],
  [
    "a dtype that is no string",
    composeFile(one("[1]", "[0,1]", "8"), 1),
    'tensor "a": dtype: expected a string, got 8',
  ],
  [
    "a shape that is no array",
    composeFile(one("1", "[0,1]"), 1),
    'tensor "a": shape: expected an array, got 1',
  ],
  [
    "a shape with a string",
    composeFile(one('["1"]', "[0,1]"), 1),
    `tensor "a": shape: expected ${INTEGER}, got "1"`,
  ],
  ["a negative size", composeFile(one("[-1]", "[0,1]"), 1), `tensor "a": shape: expected ${INTEGER}, got -1`],
  ["minus zero", composeFile(one("[-0]", "[0,0]")), `tensor "a": shape: expected ${INTEGER}, got -0`],
  [
    "a fractional size",
    composeFile(one("[1.5]", "[0,1]"), 1),
    `tensor "a": shape: expected ${INTEGER}, got 1.5`,
  ],
  ["a size of 1.0", composeFile(one("[1.0]", "[0,1]"), 1), `tensor "a": shape: expected ${INTEGER}, got 1.0`],
  [
    "an infinite size",
    composeFile(one("[1e999]", "[0,1]"), 1),
    `tensor "a": shape: expected ${INTEGER}, got 1e999`,
  ],
  [
    "a size that is NaN",
    composeFile(one("[NaN]", "[0,1]"), 1),
    `tensor "a": shape: expected ${INTEGER}, got NaN`,
  ],
  [
    "a size with a leading zero",
    composeFile(one("[01]", "[0,1]"), 1),
    `tensor "a": shape: expected ${INTEGER}, got 01`,
  ],
  [
    "a size of 2^53",
    composeFile(one("[9007199254740992]", "[0,1]"), 1),
    `tensor "a": shape: expected ${INTEGER}, got 9007199254740992`,
  ],
  [
    "a size of 2^64",
    composeFile(one("[18446744073709551616]", "[0,1]"), 1),
    `tensor "a": shape: expected ${INTEGER}, got 18446744073709551616`,
  ],
  [
    "a million digits",
    composeFile(one(`[${"9".repeat(1e6)}]`, "[0,1]"), 1),
    `tensor "a": shape: expected ${INTEGER}, got ${"9".repeat(40)}`,
  ],
  [
    "a product of sizes that overflows",
    composeFile(one("[4294967296,4294967296]", "[0,1]"), 1),
    'tensor "a": shape: expected fewer than 2^53 elements, got [4294967296, 4294967296]',
  ],
  [
    "a product of sizes that is 0 modulo 2^64",
    composeFile(one("[4294967296,4294967296]", "[0,0]")),
    'tensor "a": shape: expected fewer than 2^53 elements, got [4294967296, 4294967296]',
  ],
  [
    "a number of bytes that overflows",
    composeFile(one("[9007199254740991]", "[0,8]", '"F64"'), 8),
    'tensor "a": data_offsets: expected 72057594037927930 bytes between them for F64 [9007199254740991], got 8 ([0, 8])',
  ],
  [
    "an overflow that is hidden behind a zero",
    composeFile(one("[9007199254740991,9007199254740991,0]", "[0,0]")),
    'tensor "a": shape: expected fewer than 2^53 elements, got [9007199254740991, 9007199254740991, 0]',
  ],
  [
    "an overflow that is hidden in front by a zero",
    composeFile(one("[0,9007199254740991,9007199254740991]", "[0,0]")),
    'tensor "a": shape: expected fewer than 2^53 elements, got [0, 9007199254740991, 9007199254740991]',
  ],
  [
    "a shape larger than its bytes",
    composeFile(one("[1000000000000]", "[0,4]", '"F32"'), 4),
    'tensor "a": data_offsets: expected 4000000000000 bytes between them for F32 [1000000000000], got 4 ([0, 4])',
  ],
  [
    "a shape smaller than its bytes",
    composeFile(one("[3]", "[0,4]"), 4),
    'tensor "a": data_offsets: expected 3 bytes between them for U8 [3], got 4 ([0, 4])',
  ],
  [
    "a scalar without bytes",
    composeFile(one("[]", "[0,0]")),
    'tensor "a": data_offsets: expected 1 bytes between them for U8 [], got 0 ([0, 0])',
  ],
  [
    "begin behind end",
    composeFile(one("[4]", "[4,0]"), 4),
    `tensor "a": data_offsets: expected ${OFFSETS}, got [4, 0]`,
  ],
  ["one offset", composeFile(one("[4]", "[4]"), 4), `tensor "a": data_offsets: expected ${OFFSETS}, got [4]`],
  ["no offset", composeFile(one("[0]", "[]")), `tensor "a": data_offsets: expected ${OFFSETS}, got []`],
  [
    "three offsets",
    composeFile(one("[4]", "[0,4,4]"), 4),
    `tensor "a": data_offsets: expected ${OFFSETS}, got [0, 4, 4]`,
  ],
  [
    "a negative offset",
    composeFile(one("[4]", "[-4,0]"), 4),
    `tensor "a": data_offsets: expected ${INTEGER}, got -4`,
  ],
  [
    "an offset near 2^53",
    composeFile(one("[0]", "[9007199254740991,9007199254740991]")),
    `tensor "a": data_offsets: expected ${OFFSETS}, got [9007199254740991, 9007199254740991]`,
  ],
  [
    "two tensors in the same bytes",
    composeFile(two("[0,4]", "[0,4]"), 4),
    'tensor "b": data_offsets: expected begin 4, where "a" ends, got 0: an overlap with it',
  ],
  [
    "two tensors that overlap",
    composeFile(two("[3,7]", "[0,4]"), 7),
    'tensor "a": data_offsets: expected begin 4, where "b" ends, got 3: an overlap with it',
  ],
  [
    "an empty tensor inside another",
    composeFile(`{"a":${entry("[4]", "[0,4]")},"e":${entry("[0]", "[2,2]")}}`, 4),
    'tensor "e": data_offsets: expected begin 4, where "a" ends, got 2: an overlap with it',
  ],
  [
    "a hole between tensors",
    composeFile(two("[0,4]", "[5,9]"), 9),
    'tensor "b": data_offsets: expected begin 4, where "a" ends, got 5: a hole after it',
  ],
  [
    "a hole before the first tensor",
    composeFile(two("[1,5]", "[5,9]"), 9),
    'tensor "a": data_offsets: expected begin 0, where the header ends, got 1: a hole after it',
  ],
  [
    "bytes after the last tensor",
    composeFile(one("[4]", "[0,4]"), 5),
    "bytes: expected 65, the length that the header implies, got 66 (1 after the last tensor)",
  ],
  [
    "bytes behind no tensors",
    composeFile("{}", 1),
    "bytes: expected 10, the length that the header implies, got 11 (1 after the last tensor)",
  ],
  [
    "a file that is cut off",
    composeFile(one("[4]", "[0,4]"), 3),
    "bytes: expected 65, the length that the header implies, got 64",
  ],
  [
    "metadata that is a string",
    composeFile('{"__metadata__":"pt"}'),
    '__metadata__: expected an object, got "pt"',
  ],
  [
    "metadata that is null",
    composeFile('{"__metadata__":null}'),
    "__metadata__: expected an object, got null",
  ],
  [
    "a metadata value that is a number",
    composeFile('{"__metadata__":{"step":3}}'),
    '__metadata__ "step": expected a string, got 3',
  ],
  [
    "a metadata value that is an object",
    composeFile('{"__metadata__":{"__proto__":{"polluted":"yes"}}}'),
    '__metadata__ "__proto__": expected a string, got {',
  ],
  [
    "a lone surrogate",
    composeFile('{"\\ud800":{}}'),
    'the header: expected a string with valid escapes, got "\\ud800"',
  ],
  [
    "an unknown escape",
    composeFile('{"\\x41":{}}'),
    'the header: expected a string with valid escapes, got "\\x41"',
  ],
  ["a line break in a string", composeFile('{"a\nb":{}}'), "the header: expected a closing quote, got \\n"],
  [
    "a string that is never closed",
    composeFile('{"abc'),
    "the header: expected a closing quote, got the end of the header",
  ],
  [
    "a string that ends in a backslash",
    composeFile('{"abc\\'),
    "the header: expected a closing quote, got the end of the header",
  ],
  [
    "a name of a million letters is cut in the message",
    composeFile(`{"${"n".repeat(1e6)}":7}`),
    `tensor "${"n".repeat(60)}…": expected an object, got 7`,
  ],
];

for (const [what, file, message] of cases) {
  test(`refused: ${what}`, () => {
    let error: unknown;
    try {
      readSafetensors(file);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SafetensorsError);
    expect((error as Error).message).toBe(`readSafetensors: ${message}`);
  });
}

test("a SafetensorsError is a RangeError and bears its name", () => {
  const error = new SafetensorsError("m");
  expect(error).toBeInstanceOf(RangeError);
  expect(String(error)).toBe("SafetensorsError: m");
});

test("reading the header alone names itself in its errors", () => {
  expect(() => readSafetensorsHeader(composeFile('{"a":1}'))).toThrow(
    new SafetensorsError('readSafetensorsHeader: tensor "a": expected an object, got 1'),
  );
  expect(() => safetensorsHeaderLength(composeFile("{}", 0, 1n))).toThrow(
    new SafetensorsError("safetensorsHeaderLength: header length: expected 2 to 100000000 bytes, got 1"),
  );
});

test("a header of exactly 100 MB is within the limit", () => {
  expect(safetensorsHeaderLength(composeFile("", 0, 100_000_000n))).toBe(100_000_008);
});
