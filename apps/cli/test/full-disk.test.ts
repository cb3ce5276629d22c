import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const full = "/dev/full";

test.runIf(existsSync(full))(
  "a result that no space is left for is an error in one line, no stack",
  async () => {
    const disk = openSync(full, "w");
    onTestFinished(() => closeSync(disk));
    const command = join(import.meta.dirname, "../dist/gradlab.js");
    const child = spawn(process.execPath, [command, "summary", "--net", "lenet"], {
      stdio: ["ignore", disk, "pipe"],
    });
    let stderr = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const [code] = (await once(child, "close")) as [number];
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "gradlab: cannot write the result: no space left\n",
    });
  },
);
