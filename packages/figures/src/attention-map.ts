import { drawOn, frame, round } from "./svg-element.js";

export interface AttentionMapHead {
  readonly label: string;
  /** One row per query, one column per key, weights in [0, 1]. */
  readonly weights: readonly (readonly number[])[];
}

export interface AttentionMapOptions {
  readonly document: Document;
  /** Names of queries (rows) and keys (columns); their numbers unless given. */
  readonly queries?: readonly string[];
  readonly keys?: readonly string[];
  /** Default 720. */
  readonly width?: number;
}

const largestCell = 34;

/**
 * What each token looks at: a square per query and key, filled by its weight, heads side by side and in rows.
 *
 * @throws {RangeError} when a head has no weights, rows of several lengths, or names are not one per token.
 */
export function attentionMap(
  heads: readonly AttentionMapHead[],
  { document, queries, keys, width = 720 }: AttentionMapOptions,
): SVGSVGElement {
  const rows = heads[0]?.weights.length ?? 0;
  const columns = heads[0]?.weights[0]?.length ?? 0;
  for (const { label, weights } of heads) {
    if (rows > 0 && columns > 0 && weights.length === rows && weights.every((row) => row.length === columns))
      continue;
    throw new RangeError(
      `attentionMap: ${label}: expected ${rows} rows of ${columns} weights, got ${weights.map((row) => row.length)}`,
    );
  }
  if (heads.length === 0) throw new RangeError("attentionMap: heads: expected at least one, got none");
  const names = (given: readonly string[] | undefined, count: number, name: string) => {
    const result = given ?? Array.from({ length: count }, (_, i) => `${i}`);
    if (result.length === count) return result;
    throw new RangeError(`attentionMap: ${name}: expected ${count} names, got ${result.length}`);
  };
  const down = names(queries, rows, "queries");
  const along = names(keys, columns, "keys");
  const draw = drawOn(document);
  const left = 10 + 7 * Math.max(...down.map((name) => name.length));
  const across = Math.min(heads.length, Math.max(1, Math.floor(width / (left + 6 * columns + 20))), 4);
  const cell = Math.min(largestCell, (width / across - left - 20) / columns);
  const block = { width: left + cell * columns + 20, height: 44 + cell * rows + 16 };
  const groups = heads.map(({ label, weights }, h) => {
    const at = { x: (h % across) * block.width, y: Math.floor(h / across) * block.height };
    const wide = cell >= 7 * Math.max(...along.map((name) => name.length));
    return draw(
      "g",
      { transform: `translate(${round(at.x)} ${round(at.y)})` },
      draw("text", { x: left, y: 14, "font-weight": 600 }, label),
      ...along.flatMap((name, j) =>
        wide
          ? [
              draw(
                "text",
                { x: round(left + (j + 0.5) * cell), y: 34, "text-anchor": "middle", "font-size": 11 },
                name,
              ),
            ]
          : [],
      ),
      ...weights.flatMap((row, i) => [
        draw(
          "text",
          { x: left - 6, y: round(40 + (i + 0.5) * cell + 4), "text-anchor": "end", "font-size": 11 },
          cell >= 10 ? down[i]! : "",
        ),
        ...row.map((weight, j) =>
          draw(
            "rect",
            {
              x: round(left + j * cell),
              y: round(40 + i * cell),
              width: round(cell),
              height: round(cell),
              fill: weight === 0 ? "none" : "#4c78d8",
              "fill-opacity": weight === 0 ? null : round(Math.min(1, Math.max(0, weight))),
              stroke: "currentColor",
              "stroke-opacity": 0.2,
            },
            draw("title", {}, `${down[i]} → ${along[j]}: ${Number(weight.toPrecision(3))}`),
          ),
        ),
      ]),
    );
  });
  const label = `what ${rows} tokens look at, ${heads.map((head) => head.label).join(", ")}`;
  const lines = Math.ceil(heads.length / across);
  return frame(
    draw,
    { width: round(block.width * across), height: round(block.height * lines), label },
    ...groups,
  );
}
