import { studies } from "@gradlab/studies";
import { expect, test } from "vitest";
import { pageWords } from "../src/page-words.js";

test("help speaks of fields where the command has flags, and not of keys and exit codes", () => {
  expect(pageWords("channels of --net; exit code 3 if there are none")).toBe("channels of “net”");
  expect(pageWords("a photograph to draw over (with --out)")).toBe("a photograph to draw over");
  expect(pageWords("what the scores of --model are, see below")).toBe(
    "what the scores of “model” are, see above",
  );
  expect(pageWords("Ctrl-C ends it (exit code 130); --resume goes\non. It takes --drop-words too.")).toBe(
    "It takes “drop words” too.",
  );
});

test("no study's help on a page has a flag, an exit code or a key left", () => {
  const texts = studies.flatMap(({ about = "", options }) => [
    about,
    ...Object.values(options).map(({ help }) => help),
  ]);
  const left = texts.map(pageWords).filter((text) => /--|exit code|Ctrl|\bbelow\b(?! \d)/i.test(text));
  expect(left).toEqual([]);
  expect(texts.filter((text) => text !== "" && pageWords(text) === "")).toEqual([]);
});
