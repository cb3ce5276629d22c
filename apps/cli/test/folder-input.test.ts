import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderInput } from "../src/input-files.js";
import { temporaryFolder } from "./run-gradlab.js";

test("hidden files and folders are none of a folder's, and symbolic links are followed", async () => {
  const folder = await temporaryFolder();
  const elsewhere = await temporaryFolder();
  for (const name of ["cat", ".ipynb_checkpoints"]) {
    await mkdir(join(folder, name));
    for (const file of ["0.png", "._0.png", ".DS_Store"]) await writeFile(join(folder, name, file), name);
  }
  await writeFile(join(elsewhere, "1.png"), "dog");
  await symlink(elsewhere, join(folder, "dog"));
  await symlink(join(elsewhere, "1.png"), join(folder, "cat", "2.png"));
  await symlink(folder, join(folder, "cat", "round"));
  const { names, read } = await folderInput(folder, "--data");
  expect(names.filter((name) => !name.includes("round"))).toEqual(["cat/0.png", "cat/2.png", "dog/1.png"]);
  expect(names.length).toBeLessThan(20);
  expect(new TextDecoder().decode(await read("dog/1.png"))).toBe("dog");
});
