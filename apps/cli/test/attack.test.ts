import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jpegColour, jpegGrey } from "@gradlab/experiments";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

const common = ["--backend", "wasm", "--quiet"];
const run = mkdtempSync(join(tmpdir(), "gradlab-"));
afterAll(() => rmSync(run, { recursive: true, force: true }));

beforeAll(async () => {
  const { code } = await gradlab([
    ...["train-cnn", "--net", "lenet-relu", "--width", "4,8,32,24", "--count", "300", "--epochs", "4"],
    ...["--checkpoint", run, ...common],
  ]);
  expect(code).toBe(0);
}, 60_000);

const attacked = async (...words: string[]) => {
  const { code, stdout, stderr } = await gradlab(["attack", "--weights", run, "--json", ...words, ...common]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
};

test("attack writes pictures in which gradlab classify sees what the attack says", async () => {
  const out = await temporaryFolder();
  const record = await attacked("--eps", "0.15", "--count", "12", "--out", out);
  expect(record).toMatchObject({ command: "attack", attack: "pgd", norm: "linf", epsilon: 0.15 });
  expect(record.backend.actual).toBe("wasm");
  const found = record.samples.flatMap((sample: { success: boolean }, i: number) =>
    sample.success ? [i] : [],
  );
  expect(found.length).toBeGreaterThan(3);
  const number = (i: number) => `${i}`.padStart(4, "0");
  const pngs = found.flatMap((i: number) => [`${number(i)}-adversarial.png`, `${number(i)}-difference.png`]);
  const expected = ["contact-sheet.png", "contact-sheet.svg", "result.json", ...pngs].sort();
  expect((await readdir(out)).sort()).toEqual(expected);
  expect(JSON.parse(await readFile(join(out, "result.json"), "utf8"))).toEqual(record);
  expect((await sharp(join(out, "contact-sheet.png")).metadata()).width).toBe(1120);
  const files = found.map((i: number) => join(out, `${number(i)}-adversarial.png`));
  const seen = await gradlab(["classify", "--weights", run, ...files, "--json", ...common]);
  const { images } = JSON.parse(seen.stdout);
  for (const [k, i] of found.entries()) {
    const sample = record.samples[i];
    expect(sample.certificate).toMatchObject({ inBall: true, inBounds: true, alone: true });
    expect(sample.distances.linf).toBeLessThanOrEqual(0.15);
    const isSeen = images[k].predictions[0].index !== sample.label;
    expect(isSeen).toBe(sample.certificate.eightBits);
  }
}, 60_000);

test("attack arrives at a target by its name, and at the class after it where the image is of that class", async () => {
  const record = await attacked(
    "--targeted",
    "--target",
    "cross",
    "--eps",
    "0.5",
    "--steps",
    "60",
    "--count",
    "10",
  );
  const aim = record.classes.indexOf("cross");
  expect(record.summary.successOfAll).toBeGreaterThan(0.5);
  for (const { label, target, success, prediction } of record.samples) {
    expect(target).toBe(label === aim ? (aim + 1) % 10 : aim);
    if (success) expect(prediction).toBe(target);
  }
});

test("attacks that change few numbers, or see scores or decisions alone, are there by name", async () => {
  const found: Record<string, number> = {};
  for (const [attack, norm, ...more] of [
    ["jsma", "l0"],
    ["sparsefool", "l1", "--steps", "20"],
    ["one-pixel", "l0", "--steps", "8"],
    ["spsa", "linf", "--eps", "0.2", "--steps", "10"],
    ["boundary", "l2", "--steps", "150"],
    ["hopskipjump", "l2", "--steps", "3"],
    ["hopskipjump", "linf", "--norm", "linf", "--steps", "2"],
  ] as const) {
    const record = await attacked("--attack", attack, ...more, "--count", "4");
    expect([record.attack, record.norm]).toEqual([attack, norm]);
    const right = record.samples.filter((sample: { success: boolean }) => sample.success);
    for (const { certificate } of right) expect(certificate).toMatchObject({ inBounds: true, alone: true });
    found[`${attack} ${norm}`] = right.length;
  }
  // A pixel or two say little of images of 28 by 28; what looks for the boundary finds it.
  expect(found["jsma l0"]).toBeGreaterThan(0);
  expect(found["spsa linf"]).toBeGreaterThan(0);
  expect(found["boundary l2"]).toBeGreaterThan(2);
  expect(found["hopskipjump l2"]).toBeGreaterThan(2);
  expect(found["hopskipjump linf"]).toBeGreaterThan(2);
  expect(found["sparsefool l1"]).toBeGreaterThan(2);
  const { code, stderr } = await gradlab([
    "attack",
    "--weights",
    run,
    "--attack",
    "jsma",
    "--norm",
    "l2",
    ...common,
  ]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("--norm: expected l0 for jsma, got l2")]);
  for (const attack of ["jsma", "autoattack"]) {
    const refused = await gradlab([
      "attack",
      "--weights",
      run,
      "--attack",
      attack,
      "--steps",
      "9",
      ...common,
    ]);
    const fault = `--steps: expected none beside --attack ${attack}, got 9`;
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(fault)]);
  }
}, 60_000);

test("attack takes pictures, and refuses what does not go together", async () => {
  const picture = new URL("golden/inputs/pictures/dark/0.png", import.meta.url).pathname;
  const record = await attacked(picture, "--eps", "0.3", "--attack", "fgsm", "--norm", "l2");
  expect(record.samples).toHaveLength(1);
  expect(record.samples[0]).toMatchObject({ name: picture });
  const refused = async (...words: string[]) => {
    const { code, stderr } = await gradlab(["attack", ...words, ...common]);
    return [code, stderr];
  };
  expect(await refused("--eps", "0.1")).toEqual([
    2,
    expect.stringContaining("expected one of --weights and --model, got neither"),
  ]);
  expect(await refused("--weights", run, "--target", "1")).toEqual([
    2,
    expect.stringContaining("--target: expected --targeted"),
  ]);
  expect(await refused("--weights", run, "--targeted", "--target", "yacht")).toEqual([
    2,
    expect.stringContaining("--target: expected a class"),
  ]);
  expect(await refused("--weights", run, "--eps", "-1")).toEqual([2, expect.stringContaining("--eps")]);
});

test("robustness goes on where it was interrupted, to the same record, and draws a curve that does not rise", async () => {
  const settings = ["--weights", run, "--count", "60", "--eps", "0.02,0.05,0.15", "--json", ...common];
  const out = await temporaryFolder();
  const whole = await gradlab(["robustness", ...settings, "--out", join(out, "curve.svg")]);
  expect([whole.code, whole.stderr]).toEqual([0, ""]);
  const record = JSON.parse(whole.stdout);
  const standing = record.summary.curve.map((point: { standing: number }) => point.standing);
  expect(standing).toEqual([...standing].sort((a, b) => b - a));
  expect(standing[0]).toBeGreaterThan(standing[2]);
  expect(record.diagnosis.findings).toEqual([]);
  const svg = await readFile(join(out, "curve.svg"), "utf8");
  expect(svg).toContain("of the right ones");
  const kept = await temporaryFolder();
  const controller = new AbortController();
  const part = await gradlab(
    ["robustness", ...settings.filter((word) => word !== "--quiet"), "--checkpoint", kept],
    {
      signal: controller.signal,
      onLog: (text) => (/^25 of 60 images/.test(text) ? controller.abort() : undefined),
    },
  );
  expect(part.code).toBe(130);
  expect(JSON.parse(await readFile(join(kept, "robustness.json"), "utf8")).samples.length).toBeLessThan(60);
  const rest = await gradlab(["robustness", ...settings, "--checkpoint", kept, "--resume"]);
  expect(JSON.parse(rest.stdout).samples).toEqual(record.samples);
  expect(JSON.parse(rest.stdout).summary).toEqual(record.summary);
  const other = await gradlab([
    "robustness",
    "--weights",
    run,
    "--norm",
    "l2",
    "--checkpoint",
    kept,
    "--resume",
    ...common,
  ]);
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("--resume: expected the same")]);
}, 120_000);

// libjpeg rounds its cosines to integers: a level here and there, and a frequency half way between two steps may go to
// the other one, which is an eighth of its step.
test.each([95, 75, 40])(
  "what an experiment takes for a JPEG file of quality %d is what comes out of one",
  async (quality) => {
    const [height, width] = [28, 21];
    const pixels = Float32Array.from(
      { length: height * width },
      (_, i) => 0.5 + 0.5 * Math.sin(i * i * 0.013 + (i % width)),
    );
    const bytes = Uint8Array.from(pixels, (value) => Math.round(255 * value));
    const raw = { raw: { width, height, channels: 1 } } as const;
    const file = await sharp(bytes, raw).jpeg({ quality, mozjpeg: false }).toBuffer();
    const known = await sharp(file).greyscale().raw().toBuffer();
    const own = jpegGrey(pixels, [height, width], quality);
    const differences = Array.from(own, (value, i) => Math.abs(Math.round(255 * value) - known[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(8);
    expect(differences.reduce((a, b) => a + b, 0) / differences.length).toBeLessThan(0.5);
  },
);

// Brightness and colours are rounded on the way there and back, and a frequency half way between two steps may go to the
// other one. What is lost is several times as much, but for the highest quality.
test.each([95, 75, 40])(
  "what an experiment takes for a JPEG file of quality %d in colours is what comes out of one",
  async (quality) => {
    const [height, width] = [29, 42];
    const pixels = Uint8Array.from({ length: 3 * height * width }, (_, i) => {
      const [y, x, c] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width, i % 3];
      return Math.round(127.5 + 60 * Math.sin(0.3 * x + 0.1 * y + 0.5 * c) + 30 * Math.cos(0.2 * y * c));
    });
    const raw = { raw: { width, height, channels: 3 } } as const;
    const jpeg = { quality, mozjpeg: false, chromaSubsampling: "4:2:0" };
    const file = await sharp(pixels, raw).jpeg(jpeg).toBuffer();
    const known = await sharp(file).raw().toBuffer();
    const own = jpegColour({ width, height, data: pixels }, quality).data;
    const apart = (a: Uint8Array) =>
      a.reduce((sum, value, i) => sum + Math.abs(value - known[i]!), 0) / a.length;
    expect(apart(own)).toBeLessThan(1);
    expect(apart(own)).toBeLessThan(apart(pixels) / 2);
  },
);

const data = process.env.GRADLAB_DATA;

test.runIf(data)(
  "a photograph is driven to a target by a MobileNet of tfjs, with and without a softmax of its own",
  async () => {
    for (const [model, target] of [
      ["mobilenet-v1-025-224", "10"],
      ["mobilenet-v1-025-graph", "11"],
    ]) {
      const { code, stdout } = await gradlab([
        ...["attack", join(data!, "images/lizard.jpg"), "--model", join(data!, `models/${model}/model.json`)],
        ...[
          "--attack",
          "pixel-optimization",
          "--targeted",
          "--target",
          target!,
          "--steps",
          "60",
          "--json",
          ...common,
        ],
      ]);
      expect(code).toBe(0);
      const { samples, preflight } = JSON.parse(stdout);
      expect(preflight.warnings).toEqual([]);
      expect(samples[0]).toMatchObject({ success: true, prediction: Number(target) });
    }
    const { code, stdout } = await gradlab([
      ...["attack", join(data!, "images/lizard.jpg"), "--model"],
      ...[join(data!, "models/mobilenet-v1-025-224/model.json"), "--attack", "pixel-optimization"],
      ...[
        "--labels",
        join(data!, "models/labels/imagenet.txt"),
        "--targeted",
        "--target",
        "Robin",
        ...common,
      ],
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/lizard.jpg\s+agama\s+robin\s+robin/);
  },
  120_000,
);
