import type { Figure } from "@gradlab/studies";

type Drawn = readonly Pick<Figure, "caption" | "svg">[];

const drawn = new WeakMap<object, Map<string, Drawn>>();

/**
 * The figures of a record, drawn once however often a page is drawn anew: hundreds of maps take their time. An element
 * stands in one place only, so that what is shown twice is drawn for each.
 *
 * @param of Whose place it is.
 */
export function drawnOnce(record: object, of: string, draw: () => Drawn): Drawn {
  const places = drawn.get(record) ?? new Map<string, Drawn>();
  drawn.set(record, places);
  const figures = places.get(of) ?? draw();
  places.set(of, figures);
  return figures;
}
