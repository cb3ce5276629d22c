import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, inject, test } from "vitest";
import { libraries } from "./packages.js";

const consumer = inject("consumer");

/** The code of a package's example, as a user would paste it. */
const example = (folder: string) => readFileSync(join(folder, "examples/minimal.ts"), "utf8");

for (const { folder, manifest } of libraries) {
  test(`the example of ${manifest.name} runs in plain Node and prints what the README says`, async () => {
    const file = join(consumer, `${manifest.name.split("/")[1]}.mjs`);
    const { code } = await (await import("esbuild")).transform(example(folder), { loader: "ts" });
    writeFileSync(file, code);
    const { stdout, stderr, status } = spawnSync(process.execPath, [file], {
      encoding: "utf8",
      cwd: consumer,
    });
    // tfjs advertises its native backend between two rules; nothing else may be said.
    const said = stderr.replace(/\n=+\n[^=]*TensorFlow\.js in Node\.js[^=]*\n=+\n/, "");
    expect({ status, said }).toEqual({ status: 0, said: "" });
    expect(readFileSync(join(folder, "README.md"), "utf8")).toContain(`\`\`\`text\n${stdout}\`\`\``);
  });
}

for (const [moduleResolution, module] of [
  ["nodenext", "nodenext"],
  ["bundler", "esnext"],
] as const) {
  test(`the examples type-check under moduleResolution ${moduleResolution}`, () => {
    const folder = mkdtempSync(join(consumer, `types-${moduleResolution}-`));
    for (const { manifest, folder: source } of libraries) {
      writeFileSync(join(folder, `${manifest.name.split("/")[1]}.ts`), example(source));
    }
    writeFileSync(join(folder, "package.json"), '{"type": "module"}');
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          module,
          moduleResolution,
          target: "es2022",
          lib: ["es2023", "dom"],
          strict: true,
          noEmit: true,
          // Declarations are checked too: a library that needs skipLibCheck spoils its users' builds.
          skipLibCheck: false,
          types: ["node"],
        },
        include: ["*.ts"],
      }),
    );
    const { error, status, signal, stdout, stderr } = spawnSync("tsc", ["-p", folder, "--pretty", "false"], {
      encoding: "utf8",
      cwd: folder,
    });
    expect({ error, signal, stderr }).toEqual({ error: undefined, signal: null, stderr: "" });
    // 2: it came to its end and found something, which it then says.
    expect(status).toBe(stdout === "" ? 0 : 2);
    // Errors inside the declarations of tfjs, and between its WebGPU and the DOM's, are not ours to mend.
    const errors = stdout
      .split("\n")
      .filter(
        (line) => /^\S/.test(line) && !/node_modules\/@(tensorflow|webgpu)\/|\/lib\.dom\.d\.ts/.test(line),
      );
    expect(errors).toEqual([]);
  });
}

/**
 * Largest size of what a statement brings into a page, bundled, minified and
 * compressed, in kB. Figures carries Observable Plot.
 */
const budgets: readonly (readonly [statement: string, kilobytes: number])[] = [
  ['export * from "@gradlab/random"', 5],
  ['export * from "@gradlab/safetensors"', 8],
  ['export * from "@gradlab/receptive-field"', 16],
  ['export { receptiveField, parseNetwork } from "@gradlab/receptive-field"', 13],
  ['export * from "@gradlab/tfjs-models"', 30],
  ['export * from "@gradlab/lms"', 20],
  ['export * from "@gradlab/datasets"', 24],
  ['export * from "@gradlab/figures"', 110],
  ['export * from "@gradlab/classic-cnns/by-hand"', 8],
  // Both with tfjs-core; wasm-training also with the backend's JavaScript.
  ['export * from "@gradlab/core"', 100],
  ['export * from "@gradlab/wasm-training"', 150],
  // With tfjs-core and the four backends of browsers.
  ['export * from "@gradlab/backend-select"', 400],
  ['export * from "@gradlab/attacks"', 110],
  ['export * from "@gradlab/classic-cnns"', 100],
  ['export * from "@gradlab/classic-cnns/networks"', 26],
  ['export * from "@gradlab/classic-cnns/weights"', 85],
  ['export * from "@gradlab/torch-files"', 15],
  ['export * from "@gradlab/rnn-lm"', 110],
  ['export * from "@gradlab/attention"', 110],
  ['export * from "@gradlab/attention/weights"', 90],
];

test.each(budgets)(
  "%s bundles for browsers without Node's modules, in at most %d kB",
  async (statement, kilobytes) => {
    const result = await build({
      stdin: { contents: statement, resolveDir: consumer },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      write: false,
      logLevel: "silent",
    });
    expect(result.warnings).toEqual([]);
    const size = gzipSync(result.outputFiles[0]!.contents).length / 1000;
    expect(size).toBeLessThan(kilobytes);
    // A budget far above the size guards nothing.
    expect(size).toBeGreaterThan(kilobytes / 3);
  },
);

test("wasm-training with both binaries of its companion is at most 60 kB", async () => {
  const result = await build({
    stdin: { contents: 'export * from "@gradlab/wasm-training"', resolveDir: consumer },
    ...{ bundle: true, minify: true, format: "esm", platform: "browser", write: false },
    external: ["@tensorflow/*"],
  });
  const size = gzipSync(result.outputFiles[0]!.contents).length / 1000;
  expect(size).toBeLessThan(60);
  expect(size).toBeGreaterThan(40);
});

// A loader that knows no tfjs stands for a folder without it.
const withoutTfjs = `data:text/javascript,${encodeURIComponent(`
  export async function resolve(specifier, context, next) {
    if (specifier.startsWith("@tensorflow/")) throw new Error("without " + specifier);
    return next(specifier, context);
  }
`)}`;

test.each([
  ["@gradlab/classic-cnns/networks", "networkNames.length", "25\n", ""],
  ["@gradlab/receptive-field", "typeof executeGraph", "function\n", ""],
  ["@gradlab/classic-cnns", "networkNames.length", "", "without @tensorflow/tfjs-core"],
])("%s in plain Node where there is no tfjs", (name, expression, printed, failure) => {
  const code = `
    import { register } from "node:module";
    register(${JSON.stringify(withoutTfjs)});
    const { networkNames, executeGraph } = await import(${JSON.stringify(name)});
    console.log(${expression});
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    encoding: "utf8",
    cwd: consumer,
  });
  expect(stdout).toBe(printed);
  if (failure === "") expect(stderr).toBe("");
  else expect(stderr).toContain(failure);
});

test("every library has a budget", () => {
  for (const { manifest } of libraries) {
    expect(
      budgets.some(([statement]) => statement.includes(`* from "${manifest.name}"`)),
      manifest.name,
    ).toBe(true);
  }
});

test("the installed command computes, draws and reproduces", () => {
  const gradlab = (...args: string[]) =>
    spawnSync(join(consumer, "node_modules/.bin/gradlab"), args, { encoding: "utf8", cwd: consumer });
  const table = gradlab(
    "receptive-field",
    "--net",
    "alexnet-227",
    "--input",
    "227",
    "--origin",
    "one",
    "--json",
  );
  expect(table).toMatchObject({ status: 0, stderr: "" });
  const { layers, versions } = JSON.parse(table.stdout);
  // Activations and norms stand between them.
  const windows = layers.filter(({ name }: { name: string }) => /^(conv|pool|fc[67])/.test(name));
  expect(windows.map(({ size }: { size: number[] }) => size[0])).toEqual([
    11, 19, 51, 67, 99, 131, 163, 195, 355, 355,
  ]);
  expect(Object.keys(versions)).toEqual(
    expect.arrayContaining(["gradlab", "node", "@gradlab/receptive-field"]),
  );
  expect(gradlab("receptive-field", "--net", "vgg16", "--out", "growth.png", "--quiet")).toMatchObject({
    status: 0,
    stderr: "",
  });
  expect(readFileSync(join(consumer, "growth.png")).subarray(1, 4).toString()).toBe("PNG");
  const { status, stdout } = gradlab("reproduce", "--out", "report", "--quiet");
  expect(status).toBe(0);
  expect(stdout).toMatch(/(\d+) of \1 known values reproduced/);
  // Experiments with tensors found a backend among what the command brings along.
  expect(stdout).toMatch(/\nbackend: (webgpu|tfjs-node|wasm)/);
  expect(gradlab("doctor", "--backend", "wasm")).toMatchObject({
    status: 0,
    stderr: "",
    stdout: expect.stringMatching(/^wasm +selected /m),
  });
  expect(existsSync(join(consumer, "report/report.html"))).toBe(true);
});

test("no package runs a script when it is installed, directly or through what it stands on", () => {
  const list = execFileSync(
    "npm",
    ["query", ":attr(scripts, [postinstall]), :attr(scripts, [install]), :attr(scripts, [preinstall])"],
    {
      cwd: consumer,
      encoding: "utf8",
    },
  );
  // What only the examples stand on is the user's choice.
  const found = (JSON.parse(list) as { name: string; dev: boolean }[]).filter(({ dev }) => !dev);
  expect(found.map(({ name }) => name)).toEqual([]);
});
