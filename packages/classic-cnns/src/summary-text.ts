import type { Summary, SummaryRow } from "./summary.js";

export interface SummaryTextOptions {
  /** Makes the line of titles stand out, for a terminal; leaves it as it is unless given. */
  readonly bold?: (text: string) => string;
}

/**
 * The table of a network as text: aligned columns, a line for each layer, and a line of totals. One value stands for
 * both axes where they agree, a dash where there is none.
 */
export function summaryText(table: Summary, { bold = (text) => text }: SummaryTextOptions = {}): string {
  const { layers, params, weights, macs, policy } = table;
  const isMacs = policy === "macs";
  const titles = [
    "layer", "op", "output", "kernel", "field", "jump", "parameters", isMacs ? "MACs" : "operations",
  ]; // biome-ignore format: a row
  const rows = layers.map((row) => [
    row.name,
    row.fn ?? row.op,
    row.outputShape.join(" x "),
    perAxis(row.kernel),
    perAxis(row.receptiveField),
    perAxis(row.jump),
    row.params === 0 ? "" : grouped(row.params),
    row.macs === 0 ? "" : grouped(row.macs),
  ]);
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  const unit = isMacs ? "MACs" : policy === null ? "operations" : `operations (${policy})`;
  const totals = `${grouped(params)} parameters, ${grouped(weights)} of them weights; ${grouped(macs)} ${unit} for one image`;
  return [bold(line(titles)), ...rows.map(line), "", totals].join("\n");
}

/** The same table with commas between the columns, the weights of each layer too; ends with a line break. */
export function summaryCsv({ layers }: Summary): string {
  const rows = layers.map((row: SummaryRow) =>
    [
      row.name,
      row.fn ?? row.op,
      row.outputShape.join("x"),
      perAxis(row.kernel),
      perAxis(row.receptiveField),
      perAxis(row.jump),
      row.params,
      row.weights,
      row.macs,
    ].join(","),
  );
  return `${["layer,op,output,kernel,receptive_field,jump,params,weights,macs", ...rows].join("\n")}\n`;
}

const grouped = (value: number) => value.toLocaleString("en-US");

/** One value where the axes agree, else one per axis: 3x5; a dash where there is none. */
function perAxis(values: readonly (number | null)[] | null): string {
  if (values === null) return "–";
  const words = values.map((value) => (value === null ? "–" : `${value}`));
  return words.every((word) => word === words[0]) ? (words[0] ?? "–") : words.join("x");
}
