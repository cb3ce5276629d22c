import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { holdFolder, holdName } from "../src/folder-hold.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

test("a folder has one holder at a time, and none when it is released", async () => {
  const folder = await temporaryFolder();
  const hold = await holdFolder(folder, "--checkpoint");
  expect(hold.takenFrom).toBeNull();
  await expect(holdFolder(folder, "--checkpoint")).rejects.toThrow(
    new RegExp(
      `^--checkpoint: expected a folder that nobody fills, got ${folder}, which process ${process.pid} has held since 20.* \\(if it is gone, remove .*\\)$`,
    ),
  );
  expect(await readdir(folder)).toEqual([holdName]);
  await hold.release();
  expect(await readdir(folder)).toEqual([]);
});

test("of many who take a folder at once, one gets it", async () => {
  const folder = await temporaryFolder();
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => holdFolder(folder, "--checkpoint")));
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await readdir(folder)).toEqual([holdName]);
});

const stale = async (holder: string | object) => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, holdName), typeof holder === "string" ? holder : JSON.stringify(holder));
  return folder;
};

test("the hold of a process that is gone, or of another of the same number, is taken over by one", async () => {
  const gone = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(gone, "close");
  const [host, since] = [hostname(), "2026-01-01"];
  const dead = await stale({ pid: gone.pid, host, began: null, since });
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => holdFolder(dead, "--checkpoint")));
  const holds = all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(holds).toHaveLength(1);
  expect(await readdir(dead)).toEqual([holdName]);
  await holds[0]!.release();
  const reused = await stale({ pid: process.pid, host, began: "another boot 5", since });
  expect((await holdFolder(reused, "--checkpoint")).takenFrom).toBe(process.pid);
  const cut = await stale('{"pid": 1');
  await (await holdFolder(cut, "--checkpoint")).release();
});

test("the hold of another machine counts, and is named", async () => {
  const folder = await stale({ pid: 1, host: "elsewhere", began: null, since: "2026-01-01" });
  await expect(holdFolder(folder, "--checkpoint")).rejects.toThrow(
    "which process 1 on elsewhere has held since 2026-01-01",
  );
});

test("a training whose folder another fills ends at once and leaves it as it is; afterwards it begins", async () => {
  const folder = join(await temporaryFolder(), "run");
  await mkdir(folder);
  const argv = ["train-cnn", "--net", "lenet-relu", "--width", "2,3,8,6", "--count", "20", "--epochs", "1"];
  const other = await holdFolder(folder, "--checkpoint");
  const before = await readFile(join(folder, holdName), "utf8");
  const second = await gradlab([...argv, "--checkpoint", folder, "--backend", "cpu"]);
  expect(second).toMatchObject({ code: 1, stdout: "" });
  expect(second.stderr).toMatch(/^gradlab: --checkpoint: expected a folder that nobody fills, got .*\n$/);
  expect(await readFile(join(folder, holdName), "utf8")).toBe(before);
  await other.release();
  const first = await gradlab([...argv, "--checkpoint", folder, "--backend", "cpu"]);
  expect(first.code).toBe(0);
  expect((await readdir(folder)).toSorted()).toEqual(["best.safetensors", "last.safetensors"]);
}, 60_000);
