import { defineStudy } from "../src/declaration/study.js";

export const halving = defineStudy({
  name: "halving",
  help: "how often a number can be halved before it is below 1",
  options: {
    start: { kind: "number", above: 0, most: 1e9, default: 100, help: "where to start" },
  },
  examples: ["halving --start 64"],
  drawn: null, // what its figures show
  tensors: null, // what it needs a backend for
  async *run({ start }, _inputs, { signal }) {
    const values = [start];
    for (let value = start; value >= 1; value /= 2) {
      signal.throwIfAborted();
      yield {
        kind: "progress",
        done: values.length,
        total: Math.ceil(Math.log2(start)) + 1,
        text: `${value}`,
      };
      values.push(value / 2);
    }
    return { values }; // plain JSON; typed arrays beside it stay out of --json
  },
  tables: ({ values }) => [
    { columns: [{ title: "value" }], rows: values.map((value) => [`${value}`]), notes: [] },
  ],
});
