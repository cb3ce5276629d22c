import { addressOptions, type OptionTable, studyAddress } from "@gradlab/studies";

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

/**
 * The options that an address says, where it says any.
 *
 * @returns Null where there are none, and for another version of the form.
 */
export function givenOptions(table: OptionTable, settings: string): Record<string, unknown> | null {
  return settings === "" ? null : addressOptions(table, settings);
}

/** The address of a study with these options. */
export const studyPlace = (
  name: string,
  table: OptionTable,
  options: Readonly<Record<string, unknown>>,
): Place => ({ page: name, settings: studyAddress(table, options) });
