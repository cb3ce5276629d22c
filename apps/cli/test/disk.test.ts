import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { prepareFolder, writeOutput } from "../src/files.js";
import { holdFolder } from "../src/folder-hold.js";
import { openLog } from "../src/log.js";
import { temporaryFolder } from "./run-gradlab.js";

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return { ...real, mkdir: vi.fn(real.mkdir), writeFile: vi.fn(real.writeFile), access: vi.fn(real.access) };
});

const fault = (code: string) => Object.assign(new Error(`${code}: as the system says it`), { code });

test.each([
  ["ENOSPC", "no space left"],
  ["EROFS", "the file system is read-only"],
  ["EDQUOT", "the quota of disk space is used up"],
  ["EACCES", "permission denied"],
])("a disk that says %s is called that, whatever is written", async (code, words) => {
  const folder = await temporaryFolder();
  const file = join(folder, "last.safetensors");
  for (const _ of "abc") vi.mocked(writeFile).mockRejectedValueOnce(fault(code));
  await expect(writeOutput(file, "weights")).rejects.toThrow(`cannot write ${file}: ${words}`);
  await expect(openLog(file, null)).rejects.toThrow(`--log: cannot write ${file}: ${words}`);
  await expect(holdFolder(folder, "--checkpoint")).rejects.toThrow(`cannot write into ${folder}: ${words}`);
  vi.mocked(mkdir).mockRejectedValueOnce(fault(code));
  await expect(prepareFolder(folder)).rejects.toThrow(`cannot write into ${folder}: ${words}`);
});

test("a log stands in its file a second later, while the work goes on", async () => {
  const now = vi.spyOn(performance, "now").mockReturnValue(0);
  const file = join(await temporaryFolder(), "log.jsonl");
  const log = await openLog(file, null);
  await log.add({ step: 1 });
  expect(await readFile(file, "utf8")).toBe("");
  now.mockReturnValue(1000);
  await log.add({ step: 2 });
  expect(await readFile(file, "utf8")).toBe('{"step":1}\n{"step":2}\n');
  await log.add({ step: 3 });
  await log.flush();
  expect(await readFile(file, "utf8")).toBe('{"step":1}\n{"step":2}\n{"step":3}\n');
  now.mockRestore();
});
