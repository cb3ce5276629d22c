import { expect, test } from "vitest";
import { gradlab } from "./run-gradlab.js";

test("help and version are also words, and -v is a version", async () => {
  const [help, version] = [await gradlab(["--help"]), await gradlab(["--version"])];
  expect(help.stdout).toContain("Usage: gradlab");
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/);
  expect(await gradlab(["help"])).toEqual(help);
  for (const word of ["version", "-v"]) expect(await gradlab([word])).toEqual(version);
  expect(await gradlab(["help", "summary"])).toEqual(await gradlab(["summary", "--help"]));
  expect((await gradlab(["-v", "summary"])).code).toBe(2);
});
