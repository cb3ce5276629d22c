import { addressOptions, type OptionTable, studyAddress } from "@gradlab/studies";
import type { Place } from "./place.js";

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
