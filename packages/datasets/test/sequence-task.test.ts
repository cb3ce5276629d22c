import { expect, test } from "vitest";
import { sequenceBatch, sequenceTask, sequenceTaskNames } from "../src/index.js";

test.each([
  ["copy", [3, 1, 4, 1]],
  ["reverse", [1, 4, 1, 3]],
  ["sort", [1, 1, 3, 4]],
] as const)("%s: what follows the separator is the answer, and only that has labels", (name, answer) => {
  const task = sequenceTask(name, { length: 4, symbols: 5 });
  expect(task).toMatchObject({ vocabulary: 6, tokens: 8 });
  expect(task.answer([3, 1, 4, 1])).toEqual(answer);
  const { ids, labels, shape } = sequenceBatch(task, { count: 50 });
  expect(shape).toEqual([50, 8]);
  for (let row = 0; row < 50; row++) {
    const [sequence, following] = [ids, labels].map((all) => Array.from(all.subarray(row * 8, row * 8 + 8)));
    const known = task.answer(sequence!.slice(0, 4));
    expect(sequence!.slice(4)).toEqual([5, ...known.slice(0, 3)]);
    expect(following).toEqual([-1, -1, -1, -1, ...known]);
  }
  expect(new Set(ids)).toEqual(new Set([0, 1, 2, 3, 4, 5]));
});

test("seed, set and index each decide the sequences, and a larger batch begins with the smaller one's", () => {
  const task = sequenceTask("copy");
  const of = (more: object, count = 5) => Array.from(sequenceBatch(task, { count, ...more }).ids);
  const first = of({});
  expect(of({ seed: 0, purpose: "train", index: 0 })).toEqual(first);
  for (const other of [{ seed: 1 }, { purpose: "test" }, { index: 1 }]) expect(of(other)).not.toEqual(first);
  expect(of({}, 9).slice(0, first.length)).toEqual(first);
});

test("a task that is none, and sizes out of range, are refused", () => {
  expect(sequenceTaskNames).toEqual(["copy", "reverse", "sort"]);
  expect(() => sequenceTask("shuffle" as never)).toThrow(
    'sequenceTask: name: expected one of copy, reverse, sort, got "shuffle"',
  );
  expect(() => sequenceTask("copy", { length: 0 })).toThrow(
    "sequenceTask: length: expected an integer at least 1, got 0",
  );
  expect(() => sequenceBatch(sequenceTask("copy"), { count: 0 })).toThrow(
    "sequenceBatch: count: expected an integer at least 1, got 0",
  );
});
