import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { type OpenPageOptions, openPage } from "./open-page.js";

/** The lab as it was built. */
export const built = new URL("../../apps/lab/dist/", import.meta.url).pathname;
const command = new URL("../../apps/cli/dist/gradlab.js", import.meta.url).pathname;

/** The lab, on one of its pages; what it writes to the console as an error is a failure. */
export async function openLab(address: string, options: OpenPageOptions = {}): Promise<Page> {
  const { page, messages, close } = await openPage(built, options);
  onTestFinished(async () => {
    await close();
    expect(messages.filter((message) => message.startsWith("error"))).toEqual([]);
  });
  await page.goto(new URL(address, page.url()).href);
  await page.locator("h1").waitFor();
  return page;
}

/** What a run has come to. */
export const result = (page: Page) => page.getByRole("region", { name: "Result", exact: true });

/** Runs the study of the page from its form, with the keyboard alone. */
export async function runByKeyboard(page: Page): Promise<void> {
  const run = page.getByRole("button", { name: "Run", exact: true });
  await run.waitFor();
  await run.focus();
  const failure = page.locator("p.failure");
  const hasFailed = await failure.isVisible();
  await page.keyboard.press("Enter");
  // What was wrong before is said until the run has begun.
  if (hasFailed) await failure.waitFor({ state: "detached" });
  await result(page).or(failure).first().waitFor({ timeout: 170_000 });
  if (await failure.isVisible()) throw new Error((await failure.textContent())!);
}

/** What the button JSON saves. */
export async function savedRecord(page: Page): Promise<Record<string, unknown>> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "JSON", exact: true }).click(),
  ]);
  return JSON.parse(readFileSync(await download.path(), "utf8")) as Record<string, unknown>;
}

/** The record alone: what stands around it, and where a training was kept, is of the place where it was computed. */
export function recordOf({ versions, backend, options, checkpoint, ...record }: Record<string, unknown>) {
  return record;
}

/** What the command gives for a line that the page shows. */
export async function commandRecord(
  line: string,
  ...more: readonly string[]
): Promise<Record<string, unknown>> {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [command, ...words.slice(1), "--json", "--quiet", ...more],
      { maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => (error ? reject(new Error(stderr, { cause: error })) : resolve(stdout)),
    );
  });
  return JSON.parse(output) as Record<string, unknown>;
}

/** What axe finds wrong with a page. */
export const violations = async (page: Page) =>
  (await new AxeBuilder({ page }).analyze()).violations.map(
    ({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 300)}`,
  );
