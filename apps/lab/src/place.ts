/** Where the visitor is: a page, and behind `#` the settings of its study. */
export interface Place {
  /** The name of a study, `report`, or `home`. */
  readonly page: string;
  readonly settings: string;
}

export function placeOf({ search, hash }: Pick<Location, "search" | "hash">): Place {
  return { page: new URLSearchParams(search).get("page") ?? "home", settings: hash.replace(/^#/, "") };
}

export const addressOf = ({ page, settings }: Place): string =>
  `${page === "home" ? "./" : `?page=${encodeURIComponent(page)}`}${settings === "" ? "" : `#${settings}`}`;
