/** The first two bytes of a gzip stream (RFC 1952, §2.3.1). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

const formats = { gzip: "gzip", deflate: "zlib" } as const;

/** How much compressed data goes in at a time: at most a thousand times as much comes out before it is counted. */
const SLICE = 16_384;

/** A source that hands over the bytes slice by slice, when they are asked for. */
function inSlices(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
  let done = 0;
  return new ReadableStream(
    {
      pull(controller) {
        if (done >= bytes.length) return controller.close();
        const slice = new Uint8Array(Math.min(SLICE, bytes.length - done));
        slice.set(bytes.subarray(done, done + slice.length));
        done += slice.length;
        controller.enqueue(slice);
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Decompresses a stream whose content says how long it is, and stops as soon as there is more than that: a small file
 * cannot fill the memory.
 *
 * @param where For messages.
 * @param format The wrapping of the stream: `"gzip"` (RFC 1952), or zlib's (RFC 1950), which the web calls `"deflate"`.
 * @param endOf How long the content will be, from its first bytes; undefined as long as they do not say. What it
 *   throws ends the decompression. The content may be one byte longer when it is returned: then it was longer still.
 * @throws {RangeError} when the stream is broken.
 */
export async function decompress(
  where: string,
  bytes: Uint8Array,
  endOf: (prefix: Uint8Array) => number | undefined,
  format: keyof typeof formats = "gzip",
): Promise<Uint8Array> {
  const reader = inSlices(bytes).pipeThrough(new DecompressionStream(format)).getReader();
  let content = new Uint8Array(SLICE);
  let length = 0;
  let end: number | undefined;
  // A stream that broke in the meantime refuses to be cancelled; why it is cancelled says more.
  const cancel = () => reader.cancel().catch(() => {});
  for (;;) {
    const { value, done } = await reader.read().catch((error: unknown) => {
      throw new RangeError(
        `${where}: expected a whole ${formats[format]} stream and nothing behind it, got one that breaks off, is damaged or goes on, after ${length} bytes of content`,
        { cause: error },
      );
    });
    if (done) return content.subarray(0, length);
    const room = end === undefined ? value.length : Math.min(value.length, end + 1 - length);
    if (length + room > content.length) {
      const larger = new Uint8Array(
        Math.max(length + room, Math.min(2 * content.length, (end ?? Infinity) + 1)),
      );
      larger.set(content.subarray(0, length));
      content = larger;
    }
    content.set(value.subarray(0, room), length);
    length += room;
    try {
      end ??= endOf(content.subarray(0, length));
    } catch (error) {
      await cancel();
      throw error;
    }
    if (end !== undefined && length > end) {
      await cancel();
      return content.subarray(0, end + 1);
    }
  }
}
