import { engine, env, registerBackend, removeBackend, setBackend } from "@tensorflow/tfjs-core";

type Registration = ReturnType<typeof engine>["registryFactory"][string];
type Flags = Record<string, number | boolean | string>;

/** Factories of backends that were loaded: a module registers its own only when it is first imported. */
const remembered = new Map<string, Registration>();

export const isRegistered = (name: string): boolean => name in engine().registryFactory;
export const isInitialized = (name: string): boolean => name in engine().registry;

/**
 * Makes sure that a backend is registered after its module has been imported,
 * also when it was registered by an earlier import and removed since.
 */
export function keepRegistered(name: string, key = name): void {
  const present = engine().registryFactory[name];
  if (present !== undefined) {
    remembered.set(key, present);
    return;
  }
  const earlier = remembered.get(key);
  if (earlier === undefined) throw new Error(`its package was loaded but registers no backend "${name}"`);
  registerBackend(name, earlier.factory, earlier.priority);
}

export interface RegistryState {
  readonly active: string | null;
  readonly registered: ReadonlyMap<string, Registration>;
  readonly initialized: ReadonlyMap<string, unknown>;
  readonly flags: Flags;
}

export function registryState(): RegistryState {
  return {
    active: engine().backendName ?? null,
    registered: new Map(Object.entries(engine().registryFactory)),
    initialized: new Map(Object.entries(engine().registry)),
    flags: { ...env().getFlags() },
  };
}

/** Removes the backends that came since, puts back the ones, the flags and the active backend of before. */
export async function restoreRegistry(before: RegistryState): Promise<void> {
  for (const name of Object.keys(engine().registryFactory)) {
    const untouched =
      engine().registryFactory[name] === before.registered.get(name) &&
      engine().registry[name] === before.initialized.get(name);
    if (!untouched) removeQuietly(name);
  }
  for (const [name, { factory, priority }] of before.registered) {
    if (!isRegistered(name)) registerBackend(name, factory, priority);
  }
  env().setFlags(before.flags);
  if (before.active !== null && isInitialized(before.active)) await setBackend(before.active);
  else if (engine().backendName !== before.active) forgetActive();
}

/** Removes a backend; one that fails while it is disposed is gone nevertheless. */
export function removeQuietly(name: string): void {
  try {
    removeBackend(name);
  } catch {
    delete engine().registry[name];
    delete engine().registryFactory[name];
    if (engine().backendName === name) forgetActive();
  }
}

/** Leaves tfjs as it is before any backend is set: the next op chooses one. */
function forgetActive(): void {
  Object.assign(engine(), { backendName: null, backendInstance: null, pendingBackendInit: null });
}

/**
 * Sets a backend, and says why where tfjs says only `false`.
 *
 * @throws {Error} with the reason when it cannot be initialized.
 */
export async function initializeBackend(name: string): Promise<void> {
  const registration = engine().registryFactory[name]!;
  const { factory } = registration;
  let cause: unknown;
  registration.factory = () => {
    try {
      const made = factory();
      if (made instanceof Promise) made.catch((error: unknown) => (cause = error));
      return made;
    } catch (error) {
      cause = error;
      throw error;
    }
  };
  try {
    if (await setBackend(name)) return;
  } finally {
    registration.factory = factory;
  }
  throw new Error(`could not be initialized: ${messageOf(cause) ?? "setBackend returned false"}`);
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string | null {
  if (error === undefined || error === null) return null;
  if (typeof error === "object" && "message" in error) return String(error.message);
  return String(error);
}
