import { styleText } from "node:util";
import type { Column, Table } from "@gradlab/studies";

/** Where a command writes and what it may assume about it. */
export interface Terminal {
  /** Results. */
  readonly write: (text: string) => void;
  /** Progress and warnings. */
  readonly log: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly colors: { readonly stdout: boolean; readonly stderr: boolean };
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

/** The tables of a study below each other. */
export function tablesText(tables: readonly Table[], paint: Paint): string {
  const texts = tables.map(({ title, columns, rows, notes }) =>
    [
      ...(title === undefined ? [] : [paint("bold", title)]),
      ...(columns.length === 0 ? [] : [textTable(columns, rows, paint)]),
      ...notes,
    ].join("\n"),
  );
  return `${texts.join("\n\n")}\n`;
}

/** Aligned columns under their titles, two spaces apart. */
function textTable(columns: readonly Column[], rows: readonly (readonly string[])[], paint: Paint): string {
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (columns[i]!.align === "right" ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [paint("bold", line(columns.map(({ title }) => title))), ...rows.map(line)].join("\n");
}
