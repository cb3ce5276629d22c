import { expect, test } from "vitest";
import { parseLabels } from "../src/weights.js";

test("lines, lists and objects give the same labels", () => {
  const expected = ["tench, Tinca tinca", "goldfish", "crane", "crane"];
  const forms = [
    "tench, Tinca tinca\ngoldfish\ncrane\ncrane",
    "\uFEFFtench, Tinca tinca\r\ngoldfish \r\ncrane\r\ncrane\r\n\r\n",
    "n01440764 tench, Tinca tinca\nn01443537 goldfish\nn02012849\tcrane\nn03126707 crane\n",
    JSON.stringify(expected),
    JSON.stringify(expected.map((name) => ["n01440764", name])),
    '{"3": "crane", "2": "crane", "0": "tench, Tinca tinca", "1": "goldfish"}',
    '{"0": ["n01440764", "tench, Tinca tinca"], "1": ["n01443537", "goldfish"], "2": ["n02012849", "crane"], "3": ["n03126707", "crane"]}\n',
  ];
  for (const text of forms) expect(parseLabels(text, { classes: 4 })).toEqual(expected);
});

test("the classes of an object are in the order of numbers, not of strings", () => {
  const names = Array.from({ length: 12 }, (_, i) => `class ${i}`);
  const backwards = Object.fromEntries(names.map((name, i) => [`0${i}`.slice(-2), name]).reverse());
  expect(parseLabels(JSON.stringify({ ...names }))).toEqual(names);
  expect(() => parseLabels(JSON.stringify(backwards))).toThrow(
    /^parseLabels: text: expected the keys "0" to "11", got .* without "0"$/,
  );
});

const refused: [what: string, text: unknown, message: string | RegExp][] = [
  ["an empty file", " \n", "parseLabels: text: expected at least one label, got none"],
  ["an empty list", "[]", "parseLabels: text: expected at least one label, got none"],
  ["an empty line", "a\n\nb", "parseLabels: line 2: expected a label, got an empty line"],
  ["JSON that is cut off", '["a", ', /^parseLabels: text: expected lines or JSON, got .*JSON/],
  ["a number", "[1]", "parseLabels: entry 0: expected a name, or a list that ends with one, got 1"],
  [
    "an empty name",
    '["a", " "]',
    'parseLabels: entry 1: expected a name, or a list that ends with one, got " "',
  ],
  [
    "a class without an entry",
    '{"0": "a", "2": "b"}',
    'parseLabels: text: expected the keys "0" to "1", got "0", "2" without "1"',
  ],
  [
    "names as keys",
    '{"tench": "0"}',
    'parseLabels: text: expected the keys "0" to "0", got "tench" without "0"',
  ],
  ["no text", null, "parseLabels: text: expected a string, got null"],
];

test.each(refused)("refused: %s", (_, text, message) => {
  expect(() => parseLabels(text as string)).toThrow(message);
});

test("another number of labels than classes is refused", () => {
  expect(() => parseLabels("a\nb", { classes: 3 })).toThrow(
    new RangeError("parseLabels: text: expected 3 labels, one per class, got 2"),
  );
});

test("an object by name is one by class, read the other way", () => {
  expect(parseLabels('{"tench": 1, "goldfish": 0}', { classes: 2 })).toEqual(["goldfish", "tench"]);
  expect(() => parseLabels('{"tench": 1, "goldfish": 1}')).toThrow(
    "parseLabels: text: expected a name for every class, got two names for one",
  );
});
