import { expect, test, vi } from "vitest";
import { guardOf, guardReads } from "../src/guard-reads.js";

/** A backend whose reads do as told, and what it was asked. */
function backendWith(read: () => Promise<number[]>, readSync: () => number[] = () => [1]) {
  return { read, readSync };
}

const lostMessage = "gpu: the device was lost; values computed on it are lost, select a backend anew";

test("reads pass while all is well, each one that is broken says its reason, and the guard is one", async () => {
  const broken = new Error("mapping failed");
  let fails = false;
  const backend = backendWith(async () => {
    if (fails) throw broken;
    return [3];
  });
  expect(guardOf(backend)).toBeUndefined();
  const guard = guardReads(backend, "gpu");
  expect(guardReads(backend, "other")).toBe(guard);
  expect(guardOf(backend)).toBe(guard);
  expect(await backend.read()).toEqual([3]);
  expect(backend.readSync()).toEqual([1]);
  expect(guard.failure).toBeNull();
  fails = true;
  vi.useFakeTimers();
  const read = backend.read().catch((error) => error);
  await vi.advanceTimersByTimeAsync(1000);
  vi.useRealTimers();
  const error = await read;
  expect(error.message).toBe("gpu: a read failed: mapping failed");
  expect(error.cause).toBe(broken);
  // A read that failed is no loss of the device.
  expect(guard.failure).toBeNull();
});

test("a device lost while a read is under way: it and every later read throw the first reason", async () => {
  const backend = backendWith(() => new Promise(() => {}));
  const guard = guardReads(backend, "gpu");
  const reads = [backend.read(), backend.read()].map((read) => read.catch(({ message }) => message));
  guard.fail("the device was lost");
  guard.fail("and something else happened");
  expect(await Promise.all(reads)).toEqual([lostMessage, lostMessage]);
  expect((await guard.lost).message).toBe(lostMessage);
  expect(guard.failure?.message).toBe(lostMessage);
  await expect(backend.read()).rejects.toThrow(lostMessage);
  expect(() => backend.readSync()).toThrow(lostMessage);
});

test("a device lost after the values came and before they are given: they are not given", async () => {
  let arrive: (values: number[]) => void = () => {};
  const backend = backendWith(() => new Promise((resolve) => (arrive = resolve)));
  const guard = guardReads(backend, "gpu");
  const read = backend.read();
  arrive([0, 0]);
  guard.fail("the device was lost");
  await expect(read).rejects.toThrow(lostMessage);
});

test("a device lost during a synchronous read: what it gave is not given on", () => {
  const backend = backendWith(
    async () => [1],
    () => {
      guard.fail("the device was lost");
      return [0];
    },
  );
  const guard = guardReads(backend, "gpu");
  expect(() => backend.readSync()).toThrow(lostMessage);
});

test("a loss that must be looked for is found before and after every read", async () => {
  let lost = false;
  let lostNext = false;
  const look = vi.fn((guard: { fail(reason: string): void }) => {
    if (lost) guard.fail("the context was lost");
  });
  const backend = () => {
    const made = backendWith(
      async () => {
        lost = lostNext;
        return [0];
      },
      () => {
        lost = lostNext;
        return [0];
      },
    );
    lost = lostNext = false;
    guardReads(made, "webgl", look);
    return made;
  };
  const before = backend();
  lost = true;
  expect(() => before.readSync()).toThrow("webgl: the context was lost");
  const during = backend();
  lostNext = true;
  expect(() => during.readSync()).toThrow("webgl: the context was lost");
  const later = backend();
  lostNext = true;
  await expect(later.read()).rejects.toThrow("webgl: the context was lost");
  const calls = look.mock.calls.length;
  await expect(later.read()).rejects.toThrow("webgl: the context was lost");
  // What is known is not looked for again.
  expect(look.mock.calls.length).toBe(calls);
});

test("a loss that is announced within a second of the read that it broke is its reason, later it is not", async () => {
  vi.useFakeTimers();
  try {
    for (const [milliseconds, message] of [
      [900, lostMessage],
      [1100, "gpu: a read failed: gone"],
    ] as const) {
      const backend = backendWith(() => Promise.reject(new Error("gone")));
      const guard = guardReads(backend, "gpu");
      const read = backend.read().catch((error) => error.message);
      setTimeout(() => guard.fail("the device was lost"), milliseconds);
      await vi.advanceTimersByTimeAsync(1200);
      expect(await read).toBe(message);
    }
  } finally {
    vi.useRealTimers();
  }
});
