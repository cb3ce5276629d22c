/**
 * Records what every command prints with `--json`, by the built command: `node scripts/golden/command-json.mjs`
 * writes the results anew into test/golden/command-json.json, whose cases say what is run. Done before a change that
 * must change no value, never after one. `$IN` is test/golden, `$OUT` a folder that all cases share.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const golden = join(import.meta.dirname, "../../test/golden");
const file = join(golden, "command-json.json");
const command = join(import.meta.dirname, "../../dist/gradlab.js");
const out = mkdtempSync(join(tmpdir(), "gradlab-golden-"));
const { GRADLAB_DATA: _, ...env } = process.env;

try {
  const { cases } = JSON.parse(readFileSync(file, "utf8"));
  const recorded = cases.map(({ argv }) => {
    const words = argv.map((word) => word.replaceAll("$IN", golden).replaceAll("$OUT", out));
    const stdout = execFileSync(process.execPath, [command, ...words, "--json", "--quiet"], {
      encoding: "utf8",
      env,
      maxBuffer: 2 ** 26,
    });
    const result = JSON.parse(stdout.replaceAll(golden, "$IN").replaceAll(out, "$OUT"));
    // Versions and times are not results.
    delete result.versions;
    return { argv, result };
  });
  const tool = "scripts/golden/command-json.mjs, the built command";
  const source = { tool, node: process.versions.node, platform: `${process.platform} ${process.arch}` };
  writeFileSync(file, `${JSON.stringify({ source, cases: recorded })}\n`);
} finally {
  rmSync(out, { recursive: true, force: true });
}
