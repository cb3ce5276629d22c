import { duration } from "@gradlab/studies";
import { expect, test } from "vitest";
import { startProgress } from "../src/progress.js";

function watched({ live, quiet = false, done = 0 }: { live: boolean; quiet?: boolean; done?: number }) {
  const written: string[] = [];
  const clock = { time: 0 };
  const progress = startProgress(
    {
      write: () => undefined,
      log: (text) => void written.push(text),
      env: {},
      colors: { stdout: false, stderr: false },
      live,
      columns: 80,
      signal: new AbortController().signal,
    },
    { total: 100, done, perStep: 50, unit: "images", quiet, now: () => clock.time },
  );
  return { progress, written, clock };
}

test("rate and time left leave the first step out, which takes a minute here", () => {
  const { progress, written, clock } = watched({ live: true });
  clock.time = 60_000;
  progress.step("loss 2");
  expect(written).toEqual(["\r\u001b[2K1 % · loss 2"]);
  clock.time = 60_500;
  progress.step("loss 1");
  // Half a second a step: 100 images a second, 98 steps are left.
  expect(written[1]).toBe("\r\u001b[2K2 % · loss 1 · 100 images/s · 49 s left");
});

test("a resumed training counts what was done before, but not in its rate", () => {
  const { progress, written, clock } = watched({ live: true, done: 90 });
  for (const time of [5_000, 6_000, 7_000]) {
    clock.time = time;
    progress.step("x");
  }
  expect(written[2]).toBe("\r\u001b[2K93 % · x · 50 images/s · 7 s left");
});

test("the line is drawn ten times a second at most, and makes way for lines that stay", () => {
  const { progress, written, clock } = watched({ live: true });
  for (let i = 0; i < 30; i++) {
    clock.time = i * 10;
    progress.step("x");
  }
  expect(written).toHaveLength(3); // at 0, 100 and 200 ms
  progress.say("epoch 1");
  expect(written.slice(3)).toEqual(["\r\u001b[2K", "epoch 1\n"]);
  progress.end();
  expect(written).toHaveLength(5); // nothing is left to take away
});

test("where nobody watches a line is written once a minute beside those that stay, and with quiet none", () => {
  const file = watched({ live: false });
  const quiet = [true, false].map((live) => watched({ live, quiet: true }));
  for (const { progress, clock } of [file, ...quiet]) {
    progress.step("x");
    progress.say("epoch 1");
    for (clock.time = 1_000; clock.time <= 130_000; clock.time += 1_000) progress.step("x");
    progress.end();
  }
  expect(file.written).toEqual([
    "epoch 1\n",
    "61 % · x · 50 images/s · 39 s left\n",
    "121 % · x · 50 images/s · 0 s left\n",
  ]);
  expect(quiet.map(({ written }) => written)).toEqual([[], []]);
});

test.each([
  [0.4, "0 s"],
  [59.6, "1 min 00 s"],
  [125, "2 min 05 s"],
  [3_600, "1 h 00 min"],
  [7_620, "2 h 07 min"],
  [-3, "0 s"],
])("%d seconds are %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
