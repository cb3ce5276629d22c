import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { reasons, rightEverywhere, supportTable } from "../op-parity/support-table.js";
import { markdownTable, withSection } from "./readme-section.js";

const file = new URL("../op-parity/README.md", import.meta.url);

// The data are held by the suites that run the cases; this holds the table to the data.
test("the table of ops and backends shows what the cases show", async () => {
  let readme = readFileSync(file, "utf8");
  readme = withSection(readme, "support", `${markdownTable(supportTable())}\n\n${rightEverywhere()}`);
  readme = withSection(readme, "reasons", markdownTable(reasons()));
  await expect(readme).toMatchFileSnapshot(file.pathname);
});
