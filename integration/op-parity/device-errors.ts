/** The part of a WebGPU device that reports errors. */
interface ErrorScopes {
  pushErrorScope(filter: "validation" | "out-of-memory" | "internal"): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
}

const filters = ["validation", "out-of-memory", "internal"] as const;

/**
 * Runs something and collects what the device complains of meanwhile: the first error of each kind. On WebGPU an error raises
 * no exception; the results are zeros, or what stood in the memory before.
 *
 * @param device Null where there is none: then there are no errors either.
 */
export async function withDeviceErrors<T>(
  device: ErrorScopes | null,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly errors: string[] }> {
  if (device === null) return { result: await run(), errors: [] };
  for (const filter of filters) device.pushErrorScope(filter);
  const errors: string[] = [];
  let result: T;
  try {
    result = await run();
  } finally {
    for (const _ of filters) errors.push((await device.popErrorScope())?.message ?? "");
  }
  return { result, errors: errors.filter((message) => message !== "") };
}
