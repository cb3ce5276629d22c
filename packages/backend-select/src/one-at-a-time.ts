let last: Promise<unknown> = Promise.resolve();

/** Runs a function when the ones before it have ended: the registry of tfjs is one for all. */
export function oneAtATime<T>(run: () => Promise<T>): Promise<T> {
  const result = last.then(run);
  last = result.catch(() => {});
  return result;
}
