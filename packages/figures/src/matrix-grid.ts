import { drawOn, frame, round } from "./svg-element.js";

export interface LabelledMatrix {
  readonly label: string;
  readonly rows: readonly (readonly number[])[];
}

export interface MatrixGridOptions {
  readonly document: Document;
  /** Side of one cell in CSS pixels, default 30. */
  readonly cell?: number;
}

/**
 * Small matrices side by side, every value in its cell; colour by sign and
 * size (blue negative, orange positive) on one scale for all of them.
 *
 * @throws {RangeError} when a matrix is empty or ragged.
 */
export function matrixGrid(
  matrices: readonly LabelledMatrix[],
  { document, cell = 30 }: MatrixGridOptions,
): SVGSVGElement {
  for (const { label, rows } of matrices) {
    const columns = rows[0]?.length ?? 0;
    if (columns === 0 || rows.some((row) => row.length !== columns)) {
      throw new RangeError(
        `matrixGrid: ${label}: expected rows of one length, got ${rows.map((row) => row.length)}`,
      );
    }
  }
  const draw = drawOn(document);
  const gap = 28;
  const top = 24;
  const largest = Math.max(...matrices.flatMap(({ rows }) => rows.flat().map(Math.abs))) || 1;
  const height = top + Math.max(...matrices.map(({ rows }) => rows.length)) * cell + 2;
  let left = 1;
  const groups = matrices.map(({ label, rows }) => {
    const group = draw(
      "g",
      { transform: `translate(${left} 0)` },
      draw("text", { y: 14, "font-weight": 600 }, label),
      ...rows.flatMap((row, i) =>
        row.flatMap((value, j) => [
          draw("rect", {
            x: j * cell,
            y: top + i * cell,
            width: cell,
            height: cell,
            fill: value === 0 ? "none" : value > 0 ? "#e8871e" : "#4c78d8",
            "fill-opacity": value === 0 ? null : round(0.15 + (0.6 * Math.abs(value)) / largest),
            stroke: "currentColor",
            "stroke-opacity": 0.2,
          }),
          draw(
            "text",
            {
              x: (j + 0.5) * cell,
              y: top + (i + 0.5) * cell + 4,
              "text-anchor": "middle",
              "font-size": 11,
              "fill-opacity": value === 0 ? 0.45 : 1,
            },
            `${value}`.replace("-", "−"),
          ),
        ]),
      ),
    );
    left += rows[0]!.length * cell + gap;
    return group;
  });
  return frame(
    draw,
    { width: left - gap + 1, height, label: matrices.map(({ label }) => label).join(", ") },
    ...groups,
  );
}
