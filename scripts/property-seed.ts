import { configureGlobal } from "fast-check";

/*
 * The seed of every property test (fast-check), in the process that starts the tests and in each that runs some:
 * `GRADLAB_SEED`, or else 1 in continuous integration and another one in every other run.
 */
// Whether somebody asked for a seed, for tests that have one of their own.
process.env.GRADLAB_SEED_GIVEN ??= process.env.GRADLAB_SEED ?? "";
process.env.GRADLAB_SEED ||= process.env.CI ? "1" : String(Date.now() % 2 ** 31);
const seed = Number(process.env.GRADLAB_SEED);
if (seed !== (seed | 0)) {
  throw new RangeError(`GRADLAB_SEED: expected an integer of 32 bits, got ${process.env.GRADLAB_SEED}`);
}
// Code with all its changes in it is slow (`npm run mutate`): what has not been refuted by then is enough.
const brief = process.env.GRADLAB_MUTATE ? { interruptAfterTimeLimit: 5000 } : {};
configureGlobal({ seed, ...brief });

/** Before all tests. */
export function setup(): void {
  console.log(`Property tests have the seed ${seed} (GRADLAB_SEED).`);
}
