/**
 * Waits for a promise, at most `milliseconds` and until the caller aborts. What the
 * promise does later, a rejection included, is ignored.
 *
 * @throws {Error} after the time; the signal's reason when it is aborted.
 */
export async function deadline<T>(
  promise: Promise<T>,
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`gave no answer within ${milliseconds} ms`)),
      milliseconds,
    );
    const abort = () => reject(signal?.reason as Error);
    signal?.addEventListener("abort", abort);
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    if (signal?.aborted) abort();
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    stop();
  }
}
