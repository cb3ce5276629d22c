/** A file of any header text and data, valid or not; `headerLength` is what its first 8 bytes claim. */
export function composeFile(
  header: string | Uint8Array,
  data: Uint8Array | number = 0,
  headerLength?: bigint,
): Uint8Array<ArrayBuffer> {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const rest = typeof data === "number" ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + text.length + rest.length);
  new DataView(file.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
  file.set(text, 8);
  file.set(rest, 8 + text.length);
  return file;
}
