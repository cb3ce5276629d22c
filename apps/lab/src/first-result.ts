import type { Table } from "@gradlab/studies";

/** What a page shows before anything is computed: the result of its first settings, made when the lab was built. */
export interface FirstResult {
  readonly name: string;
  readonly help: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Null where the study needs files or the visitor's machine. */
  readonly shown: Shown | null;
}

/** A result, ready to be looked at. */
export interface Shown {
  readonly tables: readonly Table[];
  readonly figures: readonly { readonly caption: string; readonly svg: string }[];
}
