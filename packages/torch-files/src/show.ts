const LONGEST = 60;

/** A text from a file as an error message shows it: quoted and short. */
export function quote(text: string): string {
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}

/** A few of many names. */
export function quoteSome(names: readonly string[]): string {
  const more = names.length > 8 ? `, … (${names.length} in all)` : "";
  return `${names.slice(0, 8).map(quote).join(", ")}${more}`;
}
