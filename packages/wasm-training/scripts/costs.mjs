/** `npm run costs`: bundles `measure-costs.ts` and runs it, for each provider in a process of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL("..", import.meta.url));
const [, , provider, bundle] = process.argv;

if (provider === undefined) {
  // In this package, so that the libraries are found.
  const out = mkdtempSync(join(folder, "node_modules/.costs-"));
  try {
    const file = join(out, "costs.mjs");
    const contents = ["scripts/measure-costs.ts", "src/costs.ts", "src/enable-wasm-training.ts"]
      .map((path) => `export * from "./${path}";`)
      .join("\n");
    await build({
      stdin: { contents, resolveDir: folder },
      ...{ outfile: file, bundle: true, format: "esm", platform: "node", packages: "external" },
    });
    for (const each of ["composition", "companion"]) {
      const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), each, file], {
        stdio: "inherit",
      });
      if (status !== 0) process.exitCode = 1;
    }
  } finally {
    rmSync(out, { recursive: true });
  }
} else await measure(provider, await import(bundle));

async function measure(provider, { costs, enableWasmTraining, measureChoices, measureCosts }) {
  const tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-wasm");
  tf.env().set("PROD", true); // no advertisement on the console
  await enableWasmTraining(provider === "companion" ? { threads: 2 } : { companion: false });
  await tf.setBackend("wasm");
  const measured = measureCosts(provider, tf.backend());
  const digits = (x) => (Math.abs(x) >= 100 ? x.toFixed(0) : x.toPrecision(3));
  console.log(`\n${provider}: in the table, measured, and their ratio`);
  for (const [name, stands] of Object.entries(costs[provider])) {
    const ratio = measured[name] / stands;
    console.log(
      `  ${name.padEnd(14)}${digits(stands).padStart(10)}${digits(measured[name]).padStart(10)}${ratio.toFixed(2).padStart(8)}`,
    );
  }
  console.log(`\n${provider}: milliseconds of each way, of the one that the table takes, and what it loses`);
  let [taken, fastest] = [0, 0];
  for (const { name, ways, chosen } of measureChoices(provider)) {
    const least = Math.min(...Object.values(ways));
    taken += chosen;
    fastest += least;
    const each = Object.entries(ways).map(([way, time]) => `${way} ${digits(time)}`);
    console.log(
      `  ${name.padEnd(48)} ${each.join(", ").padEnd(44)} ${digits(chosen).padStart(6)} ${(chosen / least).toFixed(2)}`,
    );
  }
  console.log(`  all together ${(taken / fastest).toFixed(3)} of the fastest`);
}
