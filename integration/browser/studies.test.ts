import { studies } from "@gradlab/studies";
import { expect, onTestFinished, test } from "vitest";
import { bundlePage } from "./bundle-page.js";
import { openPage } from "./open-page.js";
import { differences } from "./record-differences.js";
import { runStudyCases, studyCases } from "./study-cases.js";

const here = (file: string) => new URL(file, import.meta.url).pathname;

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
