import { expect } from "vitest";

/** A README with other content between `<!-- name: … -->` and `<!-- end -->`. */
export function withSection(readme: string, name: string, content: string): string {
  const section = new RegExp(`(<!-- ${name}:[^\\n]*-->\\n)[^]*?(\\n<!-- end -->)`);
  expect(readme).toMatch(section);
  return readme.replace(section, (_, begin, end) => `${begin}\n${content.trim()}\n${end}`);
}

/** A table as the formatter wants it: the first row is the head. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const [head, ...body] = rows;
  return [head!, widths.map((width) => "-".repeat(width)), ...body]
    .map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`)
    .join("\n");
}
