/// <reference types="vite/client" />

declare module "virtual:pages" {
  /** Every study, in the order of the menu. */
  export const pages: readonly { readonly name: string; readonly help: string }[];
  /** The names of pictures beside the first results. */
  export const examples: readonly string[];
}

/** Of what the lab was built with. */
declare const LAB_VERSIONS: Readonly<Record<string, string>>;
