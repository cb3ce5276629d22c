import type { Backend, Table } from "./study.js";

/** `webgpu on NVIDIA H100`, `wasm`, `webgpu on SwiftShader (software)`. */
export function describeBackend({ name, device, software }: Backend): string {
  return `${name}${device === null ? "" : ` on ${device}`}${software ? " (software)" : ""}`;
}

/** A table that is lines of text. */
export function lines(title: string | undefined, ...notes: readonly string[]): Table {
  return { ...(title !== undefined && { title }), columns: [], rows: [], notes };
}

/** One value where the axes agree, else one per axis: 3x5; a dash where there is none. */
export function perAxis(values: readonly (number | null)[] | null): string {
  if (values === null) return "–";
  const texts = values.map((value) => (value === null ? "–" : `${value}`));
  return texts.every((text) => text === texts[0]) ? (texts[0] ?? "–") : texts.join("x");
}

/** A long text without its middle: the end of a name tells more than its begin. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const kept = Math.max(most - 1, 0);
  return `${text.slice(0, Math.floor(kept / 3))}…${text.slice(text.length - Math.ceil((2 * kept) / 3))}`;
}

/** Five digits; with an exponent where noughts would make it long. */
export function short(value: number): string {
  const text = `${Number(value.toPrecision(5))}`;
  const size = Math.abs(value);
  if (text.length <= 7 || (size >= 1e-3 && size < 1e7)) return text;
  return Number(value.toPrecision(5)).toExponential().replace("e+", "e");
}

/** `12.5 %`. */
export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** `61,706`. */
export const grouped = (value: number) => value.toLocaleString("en-US");

/** `42 s`, `3 min 05 s`, `2 h 07 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => `${value}`.padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
