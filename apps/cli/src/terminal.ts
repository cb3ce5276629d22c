import { styleText } from "node:util";
import { type Column, shortened, type Table } from "@gradlab/studies";

/** Where a command writes and what it may assume about it. */
export interface Terminal {
  /** Results. */
  readonly write: (text: string) => void;
  /** Progress and warnings. */
  readonly log: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly colors: { readonly stdout: boolean; readonly stderr: boolean };
  /** How many columns a line of results has. */
  readonly columns: number;
  /** Somebody watches stderr: a line there may rewrite itself. */
  readonly live: boolean;
  readonly signal: AbortSignal;
}

type Style = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

export function painter(enabled: boolean): Paint {
  return enabled ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text;
}

/** The tables of a study below each other, within so many columns where texts may be shortened. */
export function tablesText(tables: readonly Table[], paint: Paint, width = Number.POSITIVE_INFINITY): string {
  const texts = tables.map(({ title, columns, rows, notes }) =>
    [
      ...(title === undefined ? [] : [paint("bold", title)]),
      ...(columns.length === 0 ? [] : [textTable(columns, rows, paint, width)]),
      ...notes,
    ].join("\n"),
  );
  return `${texts.join("\n\n")}\n`;
}

/** Aligned columns under their titles, two spaces apart. */
function textTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
  width: number,
): string {
  const widest = columns.map(({ title }, i) =>
    rows.reduce((most, row) => Math.max(most, row[i]!.length), title.length),
  );
  const widths = withinWidth(columns, widest, width);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (columns[i]!.shrinks ? shortened(cell, widths[i]!) : cell))
      .map((cell, i) => (columns[i]!.align === "right" ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [paint("bold", line(columns.map(({ title }) => title))), ...rows.map(line)].join("\n");
}

/** Letters that every text keeps. */
const fewest = 6;

/** Widths of columns in which a line fits, as far as columns may shrink: the widest gives first. */
function withinWidth(columns: readonly Column[], widest: readonly number[], width: number): number[] {
  const widths = [...widest];
  const gaps = 2 * (columns.length - 1);
  for (let over = gaps + widths.reduce((a, b) => a + b, 0) - width; over > 0; over--) {
    const most = Math.max(...widths.filter((_, i) => columns[i]!.shrinks));
    if (most <= fewest) break;
    widths[widths.findIndex((one, i) => columns[i]!.shrinks && one === most)] = most - 1;
  }
  return widths;
}
