import { readFile } from "node:fs/promises";
import { exampleOptions, studies } from "@gradlab/studies";
import { expect, onTestFinished, test } from "vitest";
import {
  built,
  commandRecord,
  openLab,
  recordOf,
  result,
  runByKeyboard,
  savedRecord,
  violations,
} from "./lab-page.js";
import { openPage } from "./open-page.js";
import { differences } from "./record-differences.js";

/** The studies that need nothing of the visitor's. */
const runnable = studies
  .filter((study) => exampleOptions(study) !== null)
  .map(({ name, tensors }) => [name, tensors !== null] as const);

test.each(runnable)(
  "%s: runs by keyboard, is accessible, and gives the record of its command",
  async (name, computes) => {
    const page = await openLab(`?page=${name}`, { isolated: true });
    await page.getByLabel("Backend").selectOption("wasm");
    await runByKeyboard(page);
    expect(await violations(page)).toEqual([]);
    const got = await savedRecord(page);
    expect(got).toMatchObject({ schemaVersion: 1, command: name });
    // What works on a machine is another thing in a page than in Node.
    if (name === "doctor") return;
    const line = await page.locator(".command code").textContent();
    const known = await commandRecord(line!, ...(computes ? ["--backend", "wasm"] : []));
    expect(differences(recordOf(got), recordOf(known), computes ? 1e-4 : 1e-9)).toEqual([]);
  },
);

test("the home page and the report are accessible, and one experiment runs", async () => {
  const page = await openLab("");
  await page.getByRole("heading", { level: 1 }).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await violations(page)).toEqual([]);
  await page.getByRole("link", { name: "Report", exact: true }).first().click();
  await page.getByRole("button", { name: /^Run all/ }).waitFor();
  await page.locator("details.experiment summary").first().click();
  await page.getByRole("button", { name: "Run this one" }).first().click();
  await page
    .getByText(/^agrees, /)
    .first()
    .waitFor({ timeout: 60_000 });
  expect(await violations(page)).toEqual([]);
});

test("a link brings back the settings and the result", async () => {
  const page = await openLab("?page=gates");
  await page.getByLabel("inputs").fill("2");
  await page.getByLabel("inputs").fill("3");
  await expect.poll(() => page.url()).toContain("inputs=3");
  await page.getByLabel("inputs").fill("two");
  await page.getByText("Expected an integer").waitFor();
  expect(await page.getByRole("button", { name: "Run", exact: true }).isDisabled()).toBe(true);
  await page.getByLabel("inputs").fill("3");
  await runByKeyboard(page);
  const first = await savedRecord(page);
  await page.reload();
  await page.getByRole("button", { name: "Run", exact: true }).waitFor();
  expect(await page.getByLabel("inputs").inputValue()).toBe("3");
  await runByKeyboard(page);
  expect(await savedRecord(page)).toEqual(first);
  // Beside another one, what is kept has names of its own.
  await page.getByRole("button", { name: "Keep for comparison" }).click();
  await page.getByLabel("inputs").fill("2");
  await runByKeyboard(page);
  await result(page).getByText("of all 16 functions").waitFor();
  expect(await result(page).getByText("of all 256 functions").count()).toBe(1);
  expect(await violations(page)).toEqual([]);
});

test("the command is copied, and shown where there is no clipboard", async () => {
  const page = await openLab("?page=gates");
  const command = await page.locator(".command code").textContent();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const copy = page.getByRole("button", { name: "Copy command" });
  await copy.click();
  await page.getByText("The command was copied.").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(command);
  // As in a page from an address that is not secure.
  await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await copy.click();
  await page.locator(".told").getByText(command!, { exact: true }).waitFor();
});

test("back and on bring the settings and what was computed with them", async () => {
  const page = await openLab("?page=gates");
  const inputs = page.getByLabel("inputs");
  const first = page.getByRole("region", { name: "First result" });
  await first.waitFor();
  const census = (count: number) => result(page).getByText(`of all ${count} functions`).waitFor();
  await inputs.fill("2");
  await runByKeyboard(page);
  await census(16);
  await inputs.fill("1");
  await runByKeyboard(page);
  await census(4);
  await page.locator("p.said").filter({ hasText: "Gates is done." }).waitFor({ state: "attached" });
  await page.goBack();
  await census(16);
  expect(await inputs.inputValue()).toBe("2");
  await page.goBack();
  await first.waitFor();
  expect(await inputs.inputValue()).toBe("3");
  expect(await result(page).count()).toBe(0);
  await page.goForward();
  await census(16);
});

test("a link of another version says so and begins anew; of settings that are none the others are taken", async () => {
  const page = await openLab("?page=gates#v=99&inputs=2");
  await page.getByText("This link is of another version").waitFor();
  expect(await page.getByLabel("inputs").inputValue()).toBe("3");
  await page.getByRole("region", { name: "First result" }).waitFor();
  const other = await openLab("?page=gates#v=1&inputs=1e400&gate=nothing&wings=2");
  await other.getByText("Nothing was computed yet").waitFor();
  // The most there may be, every gate, and wings nobody knows.
  expect(await other.getByLabel("inputs").inputValue()).toBe("6");
  expect(await other.getByLabel("gate", { exact: true }).inputValue()).toBe("");
  await runByKeyboard(other);
});

test("saving figures as one picture leaves those on the page as they are", async () => {
  const page = await openLab("?page=lms");
  await runByKeyboard(page);
  const figures = result(page).locator("figure svg[role=img]");
  const texts = await figures.allTextContents();
  expect(texts).toHaveLength(2);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "SVG", exact: true }).click(),
  ]);
  const saved = await readFile(await download.path(), "utf8");
  expect(saved).toContain("mean squared error");
  expect(saved).toContain("lines of equal target");
  expect(await figures.allTextContents()).toEqual(texts);
});

test("a file that misses its field does not take the page away", async () => {
  const page = await openLab("?page=gates");
  const prevented = await page.evaluate(() =>
    ["dragover", "drop"].map((kind) => {
      const event = new DragEvent(kind, { bubbles: true, cancelable: true });
      document.querySelector("h1")!.dispatchEvent(event);
      return event.defaultPrevented;
    }),
  );
  expect(prevented).toEqual([true, true]);
});

test("one points at a unit and sees what it sees", async () => {
  const page = await openLab("?page=receptive-field#v=1&spec=conv1+3%2F1%2C+pool1+2%2F2&input=8");
  await runByKeyboard(page);
  const picker = page.getByRole("region", { name: "Units" });
  await picker.getByLabel("Layer").selectOption("pool1");
  // Unit 1, 1 of 3 x 3: two pixels on, four wide.
  const seen = "Unit 1, 1 of pool1 sees rows 2 to 5 and columns 2 to 5; 16 pixels contribute.";
  await picker.getByRole("status").filter({ hasText: seen }).waitFor();
  await picker.getByRole("button", { name: "Left" }).click();
  await picker
    .getByRole("status")
    .filter({ hasText: "Unit 1, 0 of pool1 sees rows 2 to 5 and columns 0 to 3" })
    .waitFor();
  // A click at the last unit writes it into the form and runs.
  const box = (await picker.locator("svg.field").boundingBox())!;
  await page.mouse.click(box.x + box.width * 0.9, box.y + box.height * 0.9);
  await expect.poll(() => page.url()).toContain("unit=2%2C2");
  expect(await page.getByLabel("unit", { exact: true }).inputValue()).toBe("2,2");
  expect(await violations(page)).toEqual([]);
});

test("a training can be paused, taken a step further, and stopped", async () => {
  const page = await openLab("?page=train-cnn#v=1&net=lenet-relu&count=200&epochs=500");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page
    .getByText(/ of 2000/)
    .first()
    .waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("paused").waitFor();
  const steps = async () => Number(await page.getByRole("progressbar").getAttribute("value"));
  await page.waitForTimeout(300);
  const before = await steps();
  await page.waitForTimeout(300);
  expect(await steps()).toBe(before);
  await page.getByRole("button", { name: "One step" }).click();
  await expect.poll(steps).toBe(before + 1);
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Run", exact: true }).and(page.locator(":enabled")).waitFor();
});

test("a training goes on from what the page has kept, and ends where the whole one would", async () => {
  const settings = "net=lenet-relu&width=2,3,8,6&count=60&lr=0.003";
  const page = await openLab(`?page=train-cnn#v=1&${settings}&epochs=1`);
  await page.getByLabel("Backend").selectOption("wasm");
  await runByKeyboard(page);
  await page.getByLabel("epochs", { exact: true }).fill("2");
  await page.getByLabel("resume", { exact: true }).check();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await result(page).getByText("after 2 epochs").waitFor({ timeout: 60_000 });
  const { test: resumed } = await savedRecord(page);
  const known = await commandRecord(
    "gradlab train-cnn --net lenet-relu --width 2,3,8,6 --count 60 --lr 0.003 --epochs 2",
    "--backend",
    "wasm",
  );
  expect(resumed).toBeDefined();
  expect(differences({ test: resumed }, { test: known.test }, 1e-4)).toEqual([]);
});

test("after a worker has died, the page says so and the next run begins another one", async () => {
  const page = await openLab("?page=train-cnn#v=1&net=lenet-relu&count=100&epochs=500");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page
    .getByText(/ of 1000/)
    .first()
    .waitFor({ timeout: 60_000 });
  await page.workers()[0]!.evaluate(() => {
    setTimeout(() => {
      throw new Error("harmed");
    });
  });
  await page.getByText(/the worker has died.*harmed/).waitFor();
  await page.getByLabel("epochs", { exact: true }).fill("1");
  await runByKeyboard(page);
});

test("a network that was trained on one page is there on the next", async () => {
  const page = await openLab("?page=train-cnn#v=1&net=lenet-relu&count=60&epochs=1");
  await runByKeyboard(page);
  await page.getByRole("link", { name: "Summary", exact: true }).first().click();
  await page.getByLabel("net", { exact: true }).fill("");
  await page.getByLabel("weights: of this page").selectOption("train-cnn/last.safetensors");
  await runByKeyboard(page);
  expect(await savedRecord(page)).toMatchObject({ network: "lenet-relu of last.safetensors" });
});

test("a training on WebGPU gives the losses of the others", async () => {
  const page = await openLab("?page=train-cnn#v=1&net=lenet-relu&width=2,3,8,6&count=40&epochs=1", {
    gpu: true,
  });
  await page.getByLabel("software GPU").check();
  await page.getByLabel("Backend").selectOption("webgpu");
  await runByKeyboard(page);
  const got = await savedRecord(page);
  expect(got).toMatchObject({ backend: { requested: "webgpu", actual: "webgpu", software: true } });
  const known = await commandRecord(
    "gradlab train-cnn --net lenet-relu --width 2,3,8,6 --count 40 --epochs 1",
    "--backend",
    "wasm",
  );
  // The mean of thousands of gradients that cancel is rounding.
  const trained = ({ inspection, ...record }: Record<string, unknown>) => recordOf(record);
  expect(differences(trained(got), trained(known), 1e-3)).toEqual([]);
});

test("the folder works from below another one", async () => {
  const { page, close } = await openPage(new URL("../", `file://${built}`).pathname, {});
  onTestFinished(close);
  await page.goto(new URL("dist/index.html?page=lms", page.url()).href);
  await runByKeyboard(page);
});
