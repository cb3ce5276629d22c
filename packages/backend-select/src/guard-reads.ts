import { messageOf } from "./backend-registry.js";

/** The part of a tfjs backend by which values leave it. */
interface ReadableBackend {
  read(dataId: object): Promise<ArrayLike<number>>;
  readSync(dataId: object): ArrayLike<number>;
}

export interface ReadGuard {
  /** Why nothing computed from now on can be trusted, once that is so. */
  readonly failure: Error | null;
  /** Resolves, never rejects, at the first failure. */
  readonly lost: Promise<Error>;
  fail(reason: string): void;
}

/** Another process of the browser tells of a loss, within milliseconds where it is not busy. */
const announcementMilliseconds = 1000;

const delay = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

const guards = new WeakMap<object, ReadGuard>();

/** The guard of a backend, if it has one. */
export const guardOf = (backend: object | undefined): ReadGuard | undefined =>
  backend === undefined ? undefined : guards.get(backend);

/**
 * Makes every read of a backend throw from its first failure on, those under way included: tfjs itself
 * gives zeros or stale values after a GPU error, or waits for ever.
 *
 * @param check Looks for a failure that announces itself in no other way; says it by `fail`.
 */
export function guardReads(
  backend: ReadableBackend,
  name: string,
  check: (guard: ReadGuard) => void = () => {},
): ReadGuard {
  const present = guards.get(backend);
  if (present !== undefined) return present;
  let resolve: (error: Error) => void;
  // Told one by one: a race with `lost` would keep every value that was ever read.
  const underWay = new Set<(error: Error) => void>();
  const state: { failure: Error | null } = { failure: null };
  const guard: ReadGuard = {
    get failure() {
      return state.failure;
    },
    lost: new Promise((done) => {
      resolve = done;
    }),
    fail(reason) {
      if (state.failure !== null) return;
      state.failure = new Error(`${name}: ${reason}; values computed on it are lost, select a backend anew`);
      resolve(state.failure);
      for (const reject of underWay) reject(state.failure);
    },
  };
  const expectAlive = () => {
    if (state.failure === null) check(guard);
    if (state.failure !== null) throw state.failure;
  };
  const read = backend.read.bind(backend);
  const readSync = backend.readSync.bind(backend);
  backend.read = async (dataId) => {
    expectAlive();
    let giveUp: (error: Error) => void = () => {};
    try {
      return await new Promise((done, reject) => {
        giveUp = reject;
        underWay.add(giveUp);
        read(dataId).then(done, reject);
      });
    } catch (error) {
      // The loss may be announced after the read that it broke.
      if (state.failure === null) await Promise.race([guard.lost, delay(announcementMilliseconds)]);
      throw state.failure ?? new Error(`${name}: a read failed: ${messageOf(error)}`, { cause: error });
    } finally {
      underWay.delete(giveUp);
      expectAlive();
    }
  };
  backend.readSync = (dataId) => {
    expectAlive();
    const values = readSync(dataId);
    expectAlive();
    return values;
  };
  guards.set(backend, guard);
  return guard;
}
