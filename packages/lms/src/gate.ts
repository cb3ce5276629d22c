import { expectInteger, expectOneOf } from "./expect-values.js";

/** The gates that `gate` knows by name. */
export const gateNames = ["and", "or", "nand", "nor", "xor", "xnor", "majority"] as const;

/** A gate of any number of inputs. `"xor"` is parity (an odd number of true inputs), `"xnor"` its opposite. */
export type GateName = (typeof gateNames)[number];

/**
 * The outputs of a gate in ±1 coding, in the order of the rows of `truthTable(n)`.
 *
 * @param gate Its name, or its number: bit r (of value 2^r) is the output for row r. `majority` is true where more than
 *   half of the inputs are.
 * @param n Number of inputs, in [1, 20]; at most 5 for a number, which is then below 2^(2^n).
 * @returns `[2^n]`, each -1 or 1.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function gate(gate: GateName | number, n: number): Float64Array {
  expectInteger("gate: n", n, 1, 20);
  if (typeof gate === "number") {
    expectInteger("gate: n (of a gate given by its number)", n, 1, 5);
    expectInteger("gate: gate", gate, 0, 2 ** (2 ** n) - 1);
    return Float64Array.from({ length: 2 ** n }, (_, row) => ((gate >>> row) & 1 ? 1 : -1));
  }
  expectOneOf("gate: gate", gate, gateNames);
  return Float64Array.from({ length: 2 ** n }, (_, row) => {
    let on = 0;
    for (let i = 0; i < n; i++) on += (row >> i) & 1;
    const output = {
      and: on === n,
      or: on > 0,
      nand: on < n,
      nor: on === 0,
      xor: on % 2 === 1,
      xnor: on % 2 === 0,
      majority: 2 * on > n,
    }[gate];
    return output ? 1 : -1;
  });
}
