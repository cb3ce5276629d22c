import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  failingOps,
  kinkSlopes,
  leftOut,
  lessExactOps,
  rightOps,
  withoutGradient,
} from "../geometry/support-table.js";
import { markdownTable, withSection } from "./readme-section.js";

const file = new URL("../geometry/README.md", import.meta.url);

// The lists are held by the suites that run the cases; this holds the tables to the lists.
test("the tables of ops and backends show what the random cases show", async () => {
  let readme = readFileSync(file, "utf8");
  readme = withSection(readme, "failing", markdownTable(failingOps()));
  readme = withSection(readme, "right", rightOps());
  readme = withSection(readme, "kinks", markdownTable(kinkSlopes()));
  readme = withSection(readme, "less-exact", markdownTable(lessExactOps()));
  readme = withSection(readme, "left-out", markdownTable(leftOut()));
  readme = withSection(readme, "without-gradient", markdownTable(withoutGradient()));
  await expect(readme).toMatchFileSnapshot(file.pathname);
});
