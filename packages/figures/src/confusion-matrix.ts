import { drawOn, frame, round } from "./svg-element.js";

export interface Confusion {
  /** Names of the classes. */
  readonly labels: readonly string[];
  /** `counts[truth][prediction]`. */
  readonly counts: readonly (readonly number[])[];
}

export interface ConfusionMatrixOptions {
  readonly document: Document;
  /** Side of one cell in CSS pixels; default: 34 and less for many classes. */
  readonly cell?: number;
}

/**
 * What was taken for what: a row per true class, a column per prediction, coloured by the share of its row (blue on
 * the diagonal, orange beside it), with the accuracy of every class at the end of its row.
 *
 * @throws {RangeError} when `counts` is not a square of as many rows as labels, or holds anything but counts.
 */
export function confusionMatrix(
  { labels, counts }: Confusion,
  { document, cell = Math.max(9, Math.min(34, Math.floor(480 / labels.length))) }: ConfusionMatrixOptions,
): SVGSVGElement {
  const n = labels.length;
  if (n === 0 || counts.length !== n || counts.some((row) => row.length !== n)) {
    throw new RangeError(
      `confusionMatrix: counts: expected ${n} rows of ${n}, got rows of ${JSON.stringify(counts.map((row) => row.length))}`,
    );
  }
  const wrong = counts.flat().find((count) => !(Number.isSafeInteger(count) && count >= 0));
  if (wrong !== undefined) {
    throw new RangeError(`confusionMatrix: counts: expected counts of at least 0, got ${wrong}`);
  }
  const draw = drawOn(document);
  const written = cell >= 20;
  const widest = Math.max(...labels.map((label) => label.length));
  const left = 24 + 6.6 * widest;
  const top = 24 + 6.6 * widest * (written ? 0.75 : 0.95);
  const middle = (place: number) => (place + 0.5) * cell;
  const rows = counts.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const y = top + middle(truth) + 4;
    return [
      draw("text", { x: left - 8, y, "text-anchor": "end", "font-size": 11 }, labels[truth]!),
      ...row.flatMap((count, prediction) => [
        draw(
          "rect",
          {
            x: round(left + prediction * cell),
            y: round(top + truth * cell),
            width: cell,
            height: cell,
            fill: count === 0 ? "none" : prediction === truth ? "#4c78d8" : "#e8871e",
            "fill-opacity": count === 0 ? null : round(0.12 + (0.75 * count) / total),
            stroke: "currentColor",
            "stroke-opacity": 0.15,
          },
          draw("title", {}, `${labels[truth]} taken for ${labels[prediction]}: ${count} of ${total}`),
        ),
        ...(written && count > 0
          ? [
              draw(
                "text",
                {
                  x: round(left + middle(prediction)),
                  y,
                  "text-anchor": "middle",
                  "font-size": 11,
                },
                `${count}`,
              ),
            ]
          : []),
      ]),
      draw(
        "text",
        { x: round(left + n * cell + 8), y, "font-size": 11, "fill-opacity": 0.75 },
        total === 0 ? "–" : `${Math.round((1000 * row[truth]!) / total) / 10} %`,
      ),
    ];
  });
  const columns = labels.map((label, prediction) => {
    const at = `translate(${round(left + middle(prediction) + 4)} ${round(top - 6)}) rotate(${written ? -45 : -70})`;
    return draw("text", { transform: at, "font-size": 11 }, label);
  });
  return frame(
    draw,
    {
      width: Math.ceil(left + n * cell + 60 + (written ? 3 * widest : 0)),
      height: Math.ceil(top + n * cell + 4),
      label: `Confusion matrix of ${labels.join(", ")}: rows are true classes, columns predictions`,
    },
    draw("text", { y: 12, "font-size": 11, "fill-opacity": 0.7 }, "true ↓  predicted →"),
    ...columns,
    ...rows,
  );
}
