const methods = ["log", "info", "warn", "error", "debug"] as const;

/** Runs something and collects what it prints: a WASM module that gives up says so on the console. */
export async function quietly<T>(
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly printed: string[] }> {
  const printed: string[] = [];
  const before = methods.map((method) => console[method]);
  for (const method of methods) console[method] = (...args: unknown[]) => void printed.push(args.join(" "));
  try {
    return { result: await run(), printed };
  } finally {
    for (const [i, method] of methods.entries()) console[method] = before[i]!;
  }
}
