import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Heard } from "../training/hear-abort.js";
import type { AbortPage } from "./abort-page.js";
import { type BundledPage, bundlePage } from "./bundle-page.js";
import { type OpenedPage, openPage } from "./open-page.js";

let bundle: BundledPage;
let opened: OpenedPage;
beforeAll(async () => {
  bundle = await bundlePage({ file: join(import.meta.dirname, "abort-page.ts") });
  opened = await openPage(bundle.folder, {});
  await opened.page.waitForFunction(() => "abortWorker" in globalThis);
});
afterAll(async () => {
  await opened?.close();
  bundle?.remove();
});

for (const backend of ["cpu", "wasm"]) {
  test(`a worker of Chromium that trains on ${backend} hears a posted abort within 50 ms and a step`, async () => {
    const heard: Heard[] = [];
    for (let i = 0; i < 5; i++) {
      heard.push(
        await opened.page.evaluate((name) => (globalThis as unknown as AbortPage).abortWorker(name), backend),
      );
    }
    // The third of five, so that one turn of the machine to something else does not count.
    const late = heard.map(({ late, longest }) => late - longest).sort((a, b) => a - b);
    expect(late[2]).toBeLessThan(50);
    expect(Math.max(...heard.map(({ steps }) => steps))).toBeGreaterThan(1);
    expect(opened.messages).toEqual([]);
  });
}
