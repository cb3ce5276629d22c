import { studies } from "@gradlab/studies";
import { expect, onTestFinished, test } from "vitest";
import { bundlePage } from "./bundle-page.js";
import { openPage } from "./open-page.js";
import { runStudyCases, studyCases } from "./study-cases.js";

const here = (file: string) => new URL(file, import.meta.url).pathname;

/** Where two records differ, by path: other keys, texts or integers, or numbers that are further apart than allowed. */
function differences(got: unknown, known: unknown, relative: number, path = ""): string[] {
  if (typeof got === "number" && typeof known === "number" && !Number.isInteger(known)) {
    const allowed = relative * Math.max(Math.abs(got), Math.abs(known), 1e-6);
    return Math.abs(got - known) <= allowed ? [] : [`${path}: ${got} instead of ${known}`];
  }
  if (typeof got !== "object" || got === null || typeof known !== "object" || known === null) {
    return Object.is(got, known)
      ? []
      : [`${path}: ${JSON.stringify(got)} instead of ${JSON.stringify(known)}`];
  }
  const keys = new Set([...Object.keys(got), ...Object.keys(known)]);
  return [...keys].flatMap((key) => {
    // Times differ.
    if (key === "milliseconds" || key === "seconds") return [];
    if (!Object.hasOwn(got, key) || !Object.hasOwn(known, key))
      return [`${path}.${key}: in one of them only`];
    const [a, b] = [got, known].map((side) => (side as Record<string, unknown>)[key]);
    return differences(a, b, relative, `${path}.${key}`);
  });
}

test("every study gives the same record in a worker of a browser and in Node", async () => {
  expect([...new Set(studyCases.map(({ name }) => name))].sort()).toEqual(
    studies.map(({ name }) => name).sort(),
  );
  const { folder, warnings, remove } = await bundlePage({
    file: here("studies-page.ts"),
    worker: here("studies-worker.ts"),
  });
  onTestFinished(remove);
  expect(warnings).toEqual([]);
  const { page, messages, close } = await openPage(folder, {});
  onTestFinished(close);
  const inWorker = await page
    .waitForFunction(() => (globalThis as { result?: unknown }).result, null, { timeout: 100_000 })
    .then((handle) => handle.jsonValue() as Promise<{ records?: unknown[]; error?: string }>)
    .catch((error: Error) => {
      throw new Error(`${error.message}\n${messages.join("\n")}`);
    });
  expect(inWorker.error).toBeUndefined();
  // As it comes out of the page: JSON.
  const known = JSON.parse(JSON.stringify(await runStudyCases())) as unknown[];
  for (const [i, one] of studyCases.entries()) {
    const found = differences(inWorker.records![i], known[i], one.trains ? 1e-4 : 1e-9);
    expect([one.name, one.options, found]).toEqual([one.name, one.options, []]);
  }
  expect(messages.filter((message) => message.startsWith("error"))).toEqual([]);
});
