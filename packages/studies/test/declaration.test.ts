import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  addressOptions,
  defineStudy,
  parseOption,
  recordJson,
  StudyError,
  studies,
  studyAddress,
  studyCommandLine,
  studyFlags,
  studyForm,
  withOptionNames,
} from "../src/index.js";

const options = {
  dataFile: { kind: "file", help: "rows of numbers" },
  rate: { kind: "number", above: 0, most: 1, default: 0.1, help: "how far to step" },
  steps: { kind: "integer", least: 1, most: 500, default: 20, unit: "steps", help: "how many" },
  unit: { kind: "integers", least: 0, placeholder: "<y,x>", help: "which unit" },
  sweep: { kind: "numbers", above: 0, help: "several rates" },
  rule: { kind: "choice", choices: ["plain", "momentum"], default: "plain", help: "how to step" },
  net: { kind: "text", help: "which network" },
  measure: { kind: "flag", help: "measure it too" },
} as const;

const study = defineStudy({
  name: "toy",
  help: "a toy",
  options,
  examples: [],
  drawn: null,
  tensors: null,
  // biome-ignore lint/correctness/useYield: all at once
  async *run({ rate, steps, rule }) {
    return { end: rate * steps, rule };
  },
  tables: () => [],
});

test("flags, their defaults and what they refuse come from the declaration", () => {
  const flags = studyFlags(options);
  expect(flags.map((flag) => [flag.flags, flag.default])).toEqual([
    ["--data-file <file>", undefined],
    ["--rate <n>", 0.1],
    ["--steps <n>", 20],
    ["--unit <y,x>", undefined],
    ["--sweep <n…>", undefined],
    ["--rule <name>", "plain"],
    ["--net <text>", undefined],
    ["--measure", false],
  ]);
  const parse = (option: keyof typeof options, text: string) => parseOption(options[option], text);
  expect([
    parse("rate", "1"),
    parse("steps", "007"),
    parse("unit", "3, 4"),
    parse("sweep", "0.5,1e-3"),
  ]).toEqual([1, 7, [3, 4], [0.5, 0.001]]);
  for (const [option, text, message] of [
    ["rate", "0", "a number above 0 and at most 1"],
    ["rate", "", "a number above 0 and at most 1"],
    ["rate", "Infinity", "a number above 0 and at most 1"],
    ["steps", "1.5", "an integer of at least 1 and at most 500"],
    ["steps", "-3", "an integer of at least 1 and at most 500"],
    ["unit", "1,,2", "an integer of at least 0"],
    ["rule", "adam", "one of plain, momentum"],
  ] as const) {
    expect(() => parse(option, text)).toThrow(new RangeError(message));
  }
});

test("a form has a control for every option, with its range", () => {
  const form = studyForm(options);
  expect(form.map(({ option, label, control }) => [option, label, control])).toEqual([
    ["dataFile", "data file", "files"],
    ["rate", "rate", "number"],
    ["steps", "steps", "number"],
    ["unit", "unit", "numbers"],
    ["sweep", "sweep", "numbers"],
    ["rule", "rule", "select"],
    ["net", "net", "text"],
    ["measure", "measure", "checkbox"],
  ]);
  expect(form[2]).toMatchObject({ min: 1, max: 500, step: 1, unit: "steps", value: 20 });
  expect(form[1]).toMatchObject({ min: 0, max: 1, step: "any" });
  expect(form[5]!.choices).toEqual(["plain", "momentum"]);
});

const defaults = { rate: 0.1, steps: 20, rule: "plain", measure: false };

test("an address holds what is no default, and gives it back", () => {
  expect(studyAddress(options, defaults)).toBe("v=1");
  const chosen = { ...defaults, rate: 0.25, unit: [3, 4], net: "a & b=c", measure: true };
  const address = studyAddress(options, chosen);
  expect(address).toBe("v=1&rate=0.25&unit=3%2C4&net=a+%26+b%3Dc&measure=true");
  expect(addressOptions(options, `#${address}`)).toEqual(chosen);
  fc.assert(
    fc.property(
      fc.record({
        rate: fc.double({ min: 1e-9, max: 1, noNaN: true }),
        steps: fc.integer({ min: 1, max: 500 }),
        rule: fc.constantFrom("plain", "momentum"),
        measure: fc.boolean(),
        sweep: fc.array(fc.double({ min: 1e-9, max: 9, noNaN: true }), { minLength: 1 }),
        net: fc.string({ minLength: 1 }),
      }),
      (any) => {
        expect(addressOptions(options, studyAddress(options, any))).toEqual(any);
      },
    ),
  );
});

test("what an address asks for is moved into its range, or left at its default", () => {
  const read = (address: string) => addressOptions(options, address);
  expect(read("steps=2000&rate=7")).toEqual({ ...defaults, steps: 500, rate: 1 });
  // An open end has no nearest number.
  expect(read("rate=-1&steps=many&rule=adam&measure=yes&sweep=1,x")).toEqual(defaults);
  expect(read("steps=3.7&unknown=1")).toEqual({ ...defaults, steps: 4 });
  expect(read("v=2&steps=3")).toBeNull();
});

test("the command line has what is no default, and FILE for files of the user's own", () => {
  expect(studyCommandLine(study, defaults)).toBe("gradlab toy");
  const chosen = { ...defaults, unit: [3, 4], net: "it's", measure: true, steps: 7 };
  expect(studyCommandLine(study, chosen, { dataFile: true })).toBe(
    "gradlab toy --data-file FILE --steps 7 --unit 3,4 --net 'it'\\''s' --measure",
  );
});

test("an error speaks of options as the app calls them", () => {
  const error = new StudyError("usage", "{dataFile}: expected beside {net}, got nothing");
  expect(error.message).toBe("dataFile: expected beside net, got nothing");
  expect(withOptionNames(error.text, (name) => `<${name}>`)).toBe(
    "<dataFile>: expected beside <net>, got nothing",
  );
});

test("the JSON of a record leaves typed arrays out, lists of them too, and nothing else", () => {
  const record = {
    n: 1,
    list: [1, null, "a"],
    empty: [],
    bytes: new Uint8Array(3),
    inner: { rows: [new Float32Array(2)], kept: [[1, 2]], pixels: new Float64Array(1) },
  };
  expect(recordJson(record)).toEqual({
    n: 1,
    list: [1, null, "a"],
    empty: [],
    inner: { kept: [[1, 2]] },
  });
});

test("every study has a name of its own, one line of help, and options that help explains", () => {
  expect(new Set(studies.map(({ name }) => name)).size).toBe(studies.length);
  for (const { name, help, options: table, examples } of studies) {
    expect(help, name).toMatch(/^\S[^\n]+[^.\n]$/);
    expect(examples.length, name).toBeGreaterThan(0);
    for (const example of examples) expect(example.startsWith(`${name} `) || example === name).toBe(true);
    for (const [option, { help: text }] of Object.entries(table)) expect(text, option).toMatch(/\S/);
  }
});
