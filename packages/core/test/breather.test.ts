import { afterEach, expect, test, vi } from "vitest";
import { breather } from "../src/index.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

const hold = (milliseconds: number) => {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
};

for (const [name, without] of [
  ["setImmediate", false],
  ["a MessageChannel, where there is no setImmediate", true],
] as const) {
  test(`after 30 ms of work a turn lets timers in, by ${name}`, async () => {
    if (without) vi.stubGlobal("setImmediate", undefined);
    const breathe = breather();
    let rang = 0;
    setTimeout(() => rang++, 1);
    hold(30);
    await breathe();
    if (rang === 0) {
      hold(30);
      await breathe();
    }
    expect(rang).toBe(1);
  });
}

test("a turn soon after the last waits for no macrotask", async () => {
  const breathe = breather();
  hold(30);
  await breathe();
  const immediate = vi.fn();
  vi.stubGlobal("setImmediate", immediate);
  for (let i = 0; i < 100; i++) await breathe();
  expect(immediate).not.toHaveBeenCalled();
});

test("two loops that breathe at once both go on", async () => {
  vi.stubGlobal("setImmediate", undefined);
  const [one, other] = [breather(), breather()];
  hold(30);
  await Promise.all([one(), other()]);
});
