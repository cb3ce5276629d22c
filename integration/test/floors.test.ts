import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** The floors of the house: a package imports only from floors below its own, in its tests and tools too. */
const floors: Readonly<Record<string, number>> = {
  random: 0,
  safetensors: 0,
  "receptive-field": 0,
  core: 1,
  lms: 1,
  "wasm-training": 1,
  "torch-files": 1,
  "tfjs-models": 1,
  datasets: 1,
  figures: 1,
  "classic-cnns": 2,
  attacks: 2,
  attention: 2,
  "rnn-lm": 2,
  "backend-select": 3,
  studies: 4,
  experiments: 5,
};

const packagesFolder = new URL("../../packages/", import.meta.url);
const folders = readdirSync(packagesFolder).filter((name) =>
  existsSync(new URL(`${name}/package.json`, packagesFolder)),
);

interface Manifest {
  readonly name: string;
  readonly type?: string;
  readonly private?: boolean;
  readonly sideEffects?: boolean;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly imports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly publishConfig: { readonly exports: unknown; readonly imports?: unknown };
}

const manifestOf = (name: string): Manifest & Readonly<Record<string, unknown>> =>
  JSON.parse(readFileSync(new URL(`${name}/package.json`, packagesFolder), "utf8"));

/** All TypeScript and JavaScript of a package, built output aside. */
function sourcesOf(name: string): { file: string; text: string }[] {
  const folder = new URL(`${name}/`, packagesFolder);
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.[mc]?[jt]s$/.test(file) && !/(^|\/)(node_modules|dist)\//.test(file))
    .map((file) => ({ file, text: readFileSync(new URL(file, folder), "utf8") }));
}

test.each(folders)("%s stands on lower floors only, in its manifest and in every file", (name) => {
  const floor = floors[name];
  expect(floor, `packages/${name} has no floor`).toBeTypeOf("number");
  const manifest = manifestOf(name);
  const declared = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"].flatMap(
    (kind) => Object.keys((manifest[kind] as object | undefined) ?? {}).map((used) => [kind, used] as const),
  );
  const imported = sourcesOf(name).flatMap(({ file, text }) =>
    [...text.matchAll(/(?:from|import)\s*\(?\s*["'](@gradlab\/[\w-]+|gradlab)/g)].map(
      ([, used]) => [file, used!] as const,
    ),
  );
  const own = (used: string) => used === `@gradlab/${name}`;
  const above = [...declared, ...imported].filter(([, used]) => {
    if (used === "gradlab") return true;
    if (!used.startsWith("@gradlab/") || own(used)) return false;
    return !((floors[used.slice("@gradlab/".length)] ?? Number.POSITIVE_INFINITY) < floor!);
  });
  expect(above).toEqual([]);
});

test.each(folders)(
  "%s is ESM without side effects, its published entries are those of the workspace",
  (name) => {
    const manifest = manifestOf(name);
    expect(manifest).toMatchObject({
      name: `@gradlab/${name}`,
      type: "module",
      license: "Apache-2.0",
      files: ["dist"],
    });
    expect(manifest.sideEffects).toBe(false);
    const published = Object.fromEntries(
      Object.entries(manifest.exports).map(([path, { "gradlab-source": source, ...target }]) => {
        const entry = path === "." ? "index" : path.slice(2);
        expect([path, source, target]).toEqual([
          path,
          `./src/${entry}.ts`,
          { types: `./dist/${entry}.d.ts`, default: `./dist/${entry}.js` },
        ]);
        return [path, target];
      }),
    );
    // Private packages are bundled into the apps.
    if (manifest.private) return expect(manifest).not.toHaveProperty("publishConfig");
    expect(manifest.publishConfig.exports).toEqual(published);
    const internal = Object.entries(manifest.imports ?? {}).map(
      ([path, { "gradlab-source": _, ...target }]) => [path, target],
    );
    expect(manifest.publishConfig.imports ?? {}).toEqual(Object.fromEntries(internal));
    for (const [peer, range] of Object.entries(manifest.peerDependencies ?? {})) {
      // The backends' own peers are exact, and bundled gradients must match.
      if (peer.startsWith("@tensorflow/")) expect([peer, range]).toEqual([peer, "4.22.0"]);
    }
  },
);

test("what only Node has is reached through #platform alone", () => {
  const sources = sourcesOf("backend-select").filter(({ file }) => /^src\/(?!node\/)/.test(file));
  const offences = sources.filter(({ text }) => /["'](?:node:|\.{1,2}\/(?:\.\.\/)*node\/)/.test(text));
  expect(offences.map(({ file }) => file)).toEqual([]);
});

/**
 * Backends of Node are looked for in files and processes; and what they print is held back. Threads are Node's where there is
 * no page.
 */
const mayTouch =
  /^backend-select\/src\/(?:node\/|quiet\.ts$)|^wasm-training\/src\/companion\/(?:node-parts|worker-source)\.ts$/;

test.each(folders)(
  "%s touches no file, network, process or console, and reads no tensor synchronously",
  (name) => {
    const offences = sourcesOf(name)
      .filter(({ file }) => file.startsWith("src/") && !mayTouch.test(`${name}/${file}`))
      .flatMap(({ file, text }) => {
        const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
        const found =
          /["']node:|\bprocess\.|\bfetch\s*\(|\bconsole\.|\bXMLHttpRequest\b|\.(?:dataSync|arraySync)\s*\(/.exec(
            code,
          );
        return found === null ? [] : [`${file}: ${found[0]}`];
      });
    expect(offences).toEqual([]);
  },
);

test("what is bundled into the command stands on packages that the command brings along", () => {
  const manifest = (file: string) =>
    JSON.parse(readFileSync(new URL(`../../${file}/package.json`, import.meta.url), "utf8")) as {
      readonly dependencies: Readonly<Record<string, string>>;
      readonly devDependencies: Readonly<Record<string, string>>;
    };
  const command = manifest("apps/cli");
  const bundled = folders.filter((name) => manifestOf(name).private);
  expect(bundled).toEqual(["experiments", "studies"]);
  for (const name of bundled) {
    expect(command.devDependencies).toHaveProperty([`@gradlab/${name}`]);
    const needed = Object.entries(manifest(`packages/${name}`).dependencies).filter(
      ([used]) => !bundled.includes(used.replace("@gradlab/", "")),
    );
    for (const [used, range] of needed) expect([used, command.dependencies[used]]).toEqual([used, range]);
  }
});

test("apps are thin: less than 15 % of all source lines", () => {
  const linesIn = (folder: URL): number =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|css)$/.test(name))
      .reduce((sum, name) => sum + readFileSync(new URL(name, folder), "utf8").split("\n").length, 0);
  const linesOf = (parent: URL): number =>
    readdirSync(parent)
      .map((name) => new URL(`${name}/src/`, parent))
      .filter((folder) => existsSync(folder))
      .reduce((sum, folder) => sum + linesIn(folder), 0);
  const apps = linesOf(new URL("../../apps/", import.meta.url));
  const packages = linesOf(packagesFolder);
  expect(apps).toBeGreaterThan(1000);
  expect(apps / (apps + packages)).toBeLessThan(0.15);
});
