import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CandidateReport } from "@gradlab/backend-select";
import { expect, test } from "vitest";
import { allowsSoftwareGpu, noBackend } from "../src/open-backend.js";
import { builtGradlab, gradlab, temporaryFolder } from "./run-gradlab.js";

const names = ["tfjs-node-gpu", "tfjs-node", "webgpu", "webgl", "wasm", "cpu"];

/** The Vulkan driver in software that Debian's chromium brings. */
const swiftshader = "/usr/lib/chromium/vk_swiftshader_icd.json";

test("doctor tries every candidate, marks the best that passes and says why the others do not", async () => {
  const { code, stdout, stderr } = await gradlab(["doctor", "--json"]);
  expect([code, stderr]).toEqual([0, ""]);
  const { candidates, backend, ...result } = JSON.parse(stdout);
  expect(result).toMatchObject({ schemaVersion: 1, command: "doctor", warnings: [] });
  const byName = new Map<string, CandidateReport>(candidates.map((one: CandidateReport) => [one.name, one]));
  expect([...byName.keys()].sort()).toEqual([...names].sort());
  const selected = candidates.filter(({ status }: CandidateReport) => status === "selected");
  expect(selected).toHaveLength(1);
  const [{ name, device, software }] = selected;
  expect(backend).toEqual({ requested: "auto", actual: name, device, software });
  for (const one of candidates) {
    expect(Object.keys(one)).toEqual(
      expect.arrayContaining(["name", "status", "reason", "milliseconds", "device", "software"]),
    );
    const passed = one.status === "selected" || one.status === "usable";
    expect([one.name, one.status, typeof one.reason]).toEqual([
      one.name,
      passed ? one.status : expect.stringMatching(/^(rejected|absent)$/),
      passed ? "object" : "string",
    ]);
    if (passed) expect(one.milliseconds).toBeGreaterThan(0);
  }
  // Both come with gradlab and run everywhere.
  expect(byName.get("wasm")!.status).toMatch(/^(selected|usable)$/);
  expect(byName.get("cpu")!.status).toBe("usable");
  expect(byName.get("webgl")).toMatchObject({ status: "absent", milliseconds: null });
}, 60_000);

test("the table has a line for every candidate, and below it what would help", async () => {
  const { code, stdout, stderr } = await gradlab(["doctor"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^backend +status +time +device +reason\n/);
  for (const name of names)
    expect(stdout).toMatch(new RegExp(`^${name} +(selected|usable|rejected|absent) `, "m"));
  expect(stdout).toMatch(/^wasm +(selected|usable) +\d+ ms /m);
  expect(stdout).toMatch(/\n\nFor a better one:\n- /);
}, 60_000);

test("with --backend, doctor says of this one alone whether it would work", async () => {
  const { code, stdout } = await gradlab(["doctor", "--backend", "cpu", "--json"]);
  expect(code).toBe(0);
  const { backend, candidates } = JSON.parse(stdout);
  expect(backend).toMatchObject({ requested: "cpu", actual: "cpu" });
  expect(candidates.filter(({ status }: CandidateReport) => status !== "untried")).toMatchObject([
    { name: "cpu", status: "selected" },
  ]);
});

const absent = ["doctor", "--backend", "tfjs-node-gpu"];

test("a backend that is not there: its row, what would help, exit code 4 and the reason in one line", async () => {
  const { code, stdout, stderr } = await gradlab(absent);
  expect(code).toBe(4);
  expect(stdout).toMatch(/^tfjs-node-gpu +absent +– +– +\S/m);
  expect(stderr).toMatch(/^gradlab: --backend tfjs-node-gpu: [^\n]+\n$/);
  const json = await gradlab([...absent, "--json"]);
  expect(json.code).toBe(4);
  const { backend, candidates } = JSON.parse(json.stdout);
  expect(backend).toEqual({ requested: "tfjs-node-gpu", actual: null, device: null, software: null });
  const { name, status, reason } = candidates.find((one: CandidateReport) => one.name === "tfjs-node-gpu");
  expect([name, status]).toEqual(["tfjs-node-gpu", "absent"]);
  expect(JSON.parse(json.stderr)).toEqual({
    schemaVersion: 1,
    error: { kind: "backend", exitCode: 4, message: `--backend tfjs-node-gpu: ${reason}` },
  });
});

test("--out writes what --json prints, and nothing but JSON", async () => {
  const out = join(await temporaryFolder(), "doctor.json");
  const { stdout, stderr } = await gradlab(["doctor", "--backend", "cpu", "--json", "--out", out]);
  expect(JSON.parse(await readFile(out, "utf8"))).toEqual(JSON.parse(stdout));
  expect(stderr).toBe(`wrote ${out}\n`);
  const wrong = await gradlab(["doctor", "--out", "doctor.txt"]);
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    'gradlab: --out: expected a name that ends in .json, got "doctor.txt"\n',
  ]);
  const unknown = await gradlab(["doctor", "--backend", "cuda"]);
  expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
  expect(unknown.stderr).toContain("Allowed choices are auto, tfjs-node-gpu");
});

test("--benchmark times a step on every candidate that passes", async () => {
  const { code, stdout } = await gradlab(["doctor", "--benchmark", "--json"]);
  expect(code).toBe(0);
  for (const { name, status, stepMilliseconds } of JSON.parse(stdout).candidates) {
    const passed = status === "selected" || status === "usable";
    expect([name, stepMilliseconds > 0]).toEqual([name, passed]);
  }
}, 60_000);

test("where nothing is usable, one line has every reason", () => {
  const row = (name: CandidateReport["name"], status: CandidateReport["status"], reason: string | null) => ({
    name,
    status,
    reason,
    milliseconds: null,
    device: null,
    software: null,
  });
  const rows = [
    row("webgpu", "rejected", "no adapter"),
    row("webgl", "absent", "browsers only"),
    row("wasm", "untried", null),
  ];
  const flags = { backend: "auto", allowSoftwareGpu: false } as const;
  expect(noBackend(flags, rows)).toMatchObject({
    exit: "backend",
    message: "no usable backend: webgpu: no adapter; webgl: browsers only",
  });
});

test("software GPUs are allowed by the flag or by the variable, unless it says no", () => {
  const [flag, none] = [true, false].map(
    (allowSoftwareGpu) => ({ backend: "auto", allowSoftwareGpu }) as const,
  );
  const allowed = (value?: string) =>
    allowsSoftwareGpu(none!, value === undefined ? {} : { GRADLAB_ALLOW_SOFTWARE_GPU: value });
  expect(allowsSoftwareGpu(flag!, { GRADLAB_ALLOW_SOFTWARE_GPU: "0" })).toBe(true);
  expect([undefined, "", "0", "false", "1", "true"].map(allowed)).toEqual([
    false,
    false,
    false,
    false,
    true,
    true,
  ]);
});

test("the built command prints the table and ends by itself, without a word on stderr", async () => {
  const { code, stdout, stderr, lingered } = await builtGradlab(["doctor"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^wasm +(selected|usable) /m);
  expect(lingered).toBeLessThan(10_000);
}, 60_000);

const onSwiftshader = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  builtGradlab(argv, { env: { VK_ICD_FILENAMES: swiftshader, ...env } });

// Continuous integration brings the driver: without it the test fails there.
test.skipIf(!existsSync(swiftshader) && !process.env.CI)(
  "a GPU in software is refused by name, and used where it is allowed",
  async () => {
    const refused = await onSwiftshader(["doctor", "--backend", "webgpu"]);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toMatch(/^gradlab: --backend webgpu: [^\n]*software[^\n]*\n$/i);
    const { code, stdout, stderr, lingered } = await onSwiftshader(
      ["doctor", "--backend", "webgpu", "--json"],
      {
        GRADLAB_ALLOW_SOFTWARE_GPU: "1",
      },
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(lingered).toBeLessThan(10_000);
    expect(JSON.parse(stdout).backend).toEqual({
      requested: "webgpu",
      actual: "webgpu",
      device: expect.stringMatching(/swiftshader/i),
      software: true,
    });
  },
  120_000,
);
