import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { recordJson, studyFlags } from "../src/index.js";
import { halving } from "./halving.js";

test("the study of the README is this one, and it runs", async () => {
  const read = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8");
  const shown = read("halving.ts").replace('"../src/declaration/', '"../declaration/');
  expect(read("../../../README.md")).toContain(`\`\`\`ts\n${shown}\`\`\``);

  const { signal } = new AbortController();
  const refuse = () => Promise.reject(new Error("nothing is computed with tensors"));
  const context = { signal, openBackend: refuse, diagnose: refuse };
  const events = halving.run({ start: 5 }, {}, context);
  const said: string[] = [];
  let next = await events.next();
  for (; !next.done; next = await events.next()) said.push(next.value.kind);
  expect(recordJson(next.value)).toEqual({ values: [5, 2.5, 1.25, 0.625] });
  expect(said).toEqual(["progress", "progress", "progress"]);
  expect(halving.tables(next.value)[0]!.rows).toEqual([["5"], ["2.5"], ["1.25"], ["0.625"]]);
  expect(studyFlags(halving.options).map(({ flags }) => flags)).toEqual(["--start <n>"]);
});
