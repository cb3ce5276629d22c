/** What is compared of a tensor of a file. */
interface Described {
  readonly shape: readonly number[];
  readonly dtype: string;
}

const isFloat = ({ dtype }: Described) => /^(?:F64|F32|F16|BF16)$/.test(dtype);
const show = (shape: readonly number[]) => `[${shape.join(", ")}]`;

/**
 * Compares the names, shapes and kinds of tensors with those that a network has, all of them before any is used.
 *
 * @throws {RangeError} one error that lists what is missing, unexpected, of another shape, or not of floats.
 */
export function expectTensors(
  where: string,
  expected: ReadonlyMap<string, readonly number[]>,
  found: ReadonlyMap<string, Described>,
): void {
  const quoted = JSON.stringify;
  const missing = [...expected].flatMap(([name, shape]) =>
    found.has(name) ? [] : [`${quoted(name)} ${show(shape)}`],
  );
  const unexpected: string[] = [];
  const misshaped: string[] = [];
  const integers: string[] = [];
  for (const [name, tensor] of found) {
    const shape = expected.get(name);
    if (shape === undefined) unexpected.push(`${quoted(name)} ${show(tensor.shape)}`);
    else if (shape.join() !== tensor.shape.join()) {
      misshaped.push(`${quoted(name)} ${show(tensor.shape)} instead of ${show(shape)}`);
    } else if (!isFloat(tensor)) integers.push(`${quoted(name)} ${tensor.dtype}`);
  }
  const faults = (
    [
      ["missing", missing],
      ["unexpected", unexpected],
      ["of another shape", misshaped],
      ["not of floats", integers],
    ] as const
  ).flatMap(([what, names]) => (names.length === 0 ? [] : [`${names.length} ${what} (${some(names)})`]));
  if (faults.length > 0) {
    throw new RangeError(
      `${where}: expected the ${expected.size} tensors of the graph, got ${faults.join("; ")}`,
    );
  }
}

function some(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(", ")}, …` : names.join(", ");
}
