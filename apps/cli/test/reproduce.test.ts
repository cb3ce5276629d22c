import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { writeIdx } from "@gradlab/datasets";
import { classifiedImages, type Experiment, type ExperimentContext } from "@gradlab/experiments";
import { type Check, check } from "@gradlab/studies";
import { beforeAll, expect, test } from "vitest";
import { folderInput } from "../src/input-files.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

const command = join(import.meta.dirname, "../dist/gradlab.js");

interface Toy {
  readonly checks: readonly Check[];
}

function experiment(id: string, compute: (context: ExperimentContext) => Promise<Toy>): Experiment<Toy> {
  return {
    id,
    title: `Title of <${id}>`,
    about: "About it.",
    // biome-ignore lint/correctness/useYield: all at once
    async *run(_options, _inputs, context) {
      return compute(context);
    },
    checks: ({ checks }) => checks,
    figures: () => [],
  };
}

const agreeing = experiment("toy/agrees", async () => ({ checks: [check("two", 2, 2.0001, 0.001)] }));
const differing = experiment("toy/differs", async () => ({
  checks: [check("rows", [[1, 2], [3, null]], [[1, 2], [4, null]])],
})); // biome-ignore format: matrices

test("every experiment agrees with its known values, without files", async () => {
  const out = await temporaryFolder();
  const { code, stdout, stderr } = await gradlab(["reproduce", "--out", out, "--json"]);
  const { engine } = await import("@tensorflow/tfjs-core");
  expect([code, engine().state.numTensors]).toEqual([0, 0]);
  const report = JSON.parse(stdout);
  expect(report).toEqual(JSON.parse(await readFile(join(out, "report.json"), "utf8")));
  expect(report).toMatchObject({
    schemaVersion: 1,
    command: "reproduce",
    warnings: [
      "classic-cnns/photographs is left out: there is no data folder with photographs and pretrained networks",
      "attacks/photographs is left out: there is no data folder with photographs and a pretrained network",
    ],
    leftOut: [
      { id: "classic-cnns/photographs", package: "classic-cnns" },
      { id: "attacks/photographs", package: "attacks" },
    ],
  });
  const { name, device, software } = report.candidates.find(
    ({ status }: { status: string }) => status === "selected",
  );
  expect(report.backend).toEqual({ requested: "auto", actual: name, device, software });
  expect(report.experiments.map(({ id }: { id: string }) => id)).toEqual([
    "receptive-field/alexnet-227",
    "receptive-field/published",
    "receptive-field/branches",
    "receptive-field/effective-field",
    "core/gradients",
    "classic-cnns/filter-by-hand",
    "classic-cnns/borders-and-pools",
    "classic-cnns/pools",
    "classic-cnns/kernels",
    "classic-cnns/learned-kernel",
    "classic-cnns/convolution-matrix",
    "classic-cnns/shifts",
    "classic-cnns/chirp",
    "classic-cnns/n-grams",
    "classic-cnns/tables",
    "classic-cnns/torchvision-logits",
    "classic-cnns/at-start",
    "classic-cnns/zero-weights",
    "classic-cnns/lenet-training",
    "classic-cnns/learning",
    "attacks/targets",
    "attention/permutations",
    "attention/feed-forward",
    "lms/course-data",
    "lms/step-sizes",
    "lms/gates",
    "lms/backprop",
    "lms/overfitting",
    "lms/sign-units",
    "claims/kernels",
    "claims/elman-jacobian",
    "claims/lms",
    "claims/cross-entropy",
    "rnn-lm/sentences",
    "rnn-lm/truncation",
  ]);
  const computing = [
    "receptive-field/effective-field",
    "core/gradients",
    "classic-cnns/torchvision-logits",
    "classic-cnns/at-start",
    "classic-cnns/zero-weights",
    "classic-cnns/lenet-training",
    "classic-cnns/learning",
    "attacks/targets",
    "attention/permutations",
    "attention/feed-forward",
    "lms/sign-units",
    "rnn-lm/sentences",
    "rnn-lm/truncation",
  ];
  for (const { id, title, seconds, checks, backend, package: owner } of report.experiments) {
    expect([id, backend]).toEqual([id, computing.includes(id) ? name : null]);
    expect([owner, typeof title, typeof seconds]).toEqual([id.split("/")[0], "string", "number"]);
    expect(checks.length).toBeGreaterThan(0);
    for (const one of checks) {
      expect(Object.keys(one).sort()).toEqual(["got", "known", "name", "ok", "tolerance"]);
      expect([id, one.name, one.ok]).toEqual([id, one.name, true]);
    }
  }
  expect(stderr).toContain("[1/37] receptive-field/alexnet-227 … agrees");
  expect((await readdir(out)).sort()).toEqual(["report.html", "report.json"]);
}, 300_000);

test("an experiment whose files are missing is left out with a warning, and is no value that agrees", async () => {
  const out = await temporaryFolder();
  const lacking: Experiment = {
    ...differing,
    missing: ({ data }) => (data === undefined ? "there is no <data>" : null),
  };
  const argv = ["reproduce", "--out", out];
  const { code, stdout, stderr } = await gradlab(argv, { experiments: [lacking, agreeing] });
  expect([code, stderr.split("\n")[0]]).toEqual([0, "warning: toy/differs is left out: there is no <data>"]);
  expect(stdout).toContain("1 of 1 known values reproduced");
  expect(stdout).not.toContain("toy/differs");
  const report = JSON.parse(await readFile(join(out, "report.json"), "utf8"));
  expect(report.experiments.map(({ id }: { id: string }) => id)).toEqual(["toy/agrees"]);
  expect(report.leftOut).toEqual([
    { id: "toy/differs", title: "Title of <toy/differs>", package: "toy", missing: "there is no <data>" },
  ]);
  const html = await readFile(join(out, "report.html"), "utf8");
  expect(html).toContain("1 left out");
  expect(html).toContain(
    '<span class="mark soft">–</span><span class="soft">Title of &lt;toy/differs&gt;</span><span>left out</span>',
  );
  expect(html).toContain("<p>toy/differs is left out: there is no &lt;data&gt;</p>");
  const alone = await gradlab([...argv, "--quiet"], { experiments: [lacking] });
  expect([alone.code, alone.stdout, alone.stderr]).toEqual([
    1,
    "",
    "gradlab: toy/differs is left out: there is no <data>\n",
  ]);
  expect((await gradlab([...argv, "--data", out, "--quiet"], { experiments: [lacking] })).code).toBe(3);
});

test("experiments leave no tensor behind, and come to the same verdicts on the slowest backend", async () => {
  const argv = ["reproduce", "--only", "core,receptive-field/effective-field,attention", "--json", "--quiet"];
  const { memory } = await import("@tensorflow/tfjs-core");
  const verdicts: unknown[] = [];
  for (const backend of ["wasm", "cpu"]) {
    const before = memory().numTensors;
    const { code, stdout, stderr } = await gradlab([
      ...argv,
      "--backend",
      backend,
      "--out",
      await temporaryFolder(),
    ]);
    expect([code, stderr, memory().numTensors]).toEqual([0, "", before]);
    const report = JSON.parse(stdout);
    expect(report.backend).toMatchObject({ requested: backend, actual: backend });
    verdicts.push(report.experiments.map(({ checks }: { checks: unknown[] }) => checks.length));
  }
  expect(verdicts[0]).toEqual(verdicts[1]);
}, 120_000);

test("another seed draws other images and weights, and finds the same pixels", async () => {
  const only = ["reproduce", "--only", "receptive-field/effective-field", "--backend", "wasm", "--quiet"];
  const { code, stderr } = await gradlab([...only, "--seed", "5", "--out", await temporaryFolder()]);
  expect([code, stderr]).toEqual([0, ""]);
}, 60_000);

test("a backend is looked for before the work, and only when an experiment needs one", async () => {
  const out = await temporaryFolder();
  const argv = ["reproduce", "--backend", "tfjs-node-gpu", "--out", out, "--quiet"];
  const tensors: Experiment = { ...agreeing, id: "toy/tensors", usesBackend: true };
  const none = await gradlab(argv, { experiments: [agreeing, tensors] });
  expect([none.code, none.stdout, await readdir(out)]).toEqual([4, "", []]);
  expect(none.stderr).toMatch(/^gradlab: --backend tfjs-node-gpu: [^\n]+\n$/);
  const spared = await gradlab([...argv, "--json"], { experiments: [agreeing] });
  expect(spared.code).toBe(0);
  expect(JSON.parse(spared.stdout)).toMatchObject({
    backend: { requested: "tfjs-node-gpu", actual: null, device: null, software: null },
    candidates: [],
    experiments: [{ id: "toy/agrees", backend: null }],
  });
  expect(await readFile(join(out, "report.html"), "utf8")).toContain(
    "<dt>backend used</dt><dd>none: nothing was computed with tensors</dd>",
  );
});

test("an experiment that computes with tensors gets the backend that --backend names", async () => {
  const out = await temporaryFolder();
  const seen: unknown[] = [];
  const looking = experiment("toy/agrees", async ({ openBackend }) => {
    const { getBackend, grad, square, scalar } = await import("@tensorflow/tfjs-core");
    const slope = grad(square)(scalar(3));
    seen.push((await openBackend()).name, getBackend(), (await slope.data())[0]);
    return { checks: [check("two", 2, 2.0001, 0.001)] };
  });
  const tensors: Experiment = { ...looking, usesBackend: true };
  const argv = ["reproduce", "--backend", "cpu", "--out", out];
  const { code, stderr } = await gradlab(argv, { experiments: [tensors] });
  expect([code, ...seen]).toEqual([0, "cpu", "cpu", 6]);
  expect(stderr).toMatch(/^backend cpu\n\[1\/1\] toy\/agrees … agrees/);
  const html = await readFile(join(out, "report.html"), "utf8");
  expect(html).toContain("<dt>backend asked for</dt><dd>cpu</dd>\n<dt>backend used</dt><dd>cpu</dd>");
  expect(html).toMatch(/<td>cpu<\/td><td>selected<\/td><td class="number">\d+ ms<\/td>/);
});

test("the report is one file that loads nothing, with the same data inside", async () => {
  const out = await temporaryFolder();
  await gradlab([
    "reproduce",
    "--out",
    out,
    "--quiet",
    "--only",
    "receptive-field/alexnet-227,receptive-field/branches",
  ]);
  const html = await readFile(join(out, "report.html"), "utf8");
  const links = [...html.matchAll(/(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)/g)].map(
    ([, target]) => target!,
  );
  expect(links.length).toBeGreaterThan(3);
  expect(links.filter((target) => !/^(#|data:image\/(png|jpeg);base64,)/.test(target))).toEqual([]);
  const data = /<script type="application\/json" id="report">(.*)<\/script>/.exec(html)![1]!;
  expect(JSON.parse(data)).toEqual(JSON.parse(await readFile(join(out, "report.json"), "utf8")));
  expect(html).toContain("All 17 known values reproduced");
  expect(html).toContain(
    `gradlab reproduce --only receptive-field/alexnet-227,receptive-field/branches --out ${out}`,
  );
}, 60_000);

test("a value that differs is shown, named and exits with 3, after the report is written", async () => {
  const out = await temporaryFolder();
  const { code, stdout, stderr } = await gradlab(["reproduce", "--out", out, "--quiet"], {
    experiments: [agreeing, differing],
  });
  expect(code).toBe(3);
  expect(stdout).toMatch(/toy\/differs +0 of 1 +DISAGREES/);
  expect(stdout).toContain("1 of 2 known values reproduced");
  expect(stderr).toBe("gradlab: 1 value disagrees: toy/differs: rows\n");
  const html = await readFile(join(out, "report.html"), "utf8");
  expect(html).toContain("1 of 2 known values not reproduced");
  expect(html).toContain("Title of &lt;toy/differs&gt;");
  expect(html).toContain("✗ differs");
});

test("an experiment that fails is named, and leaves no report", async () => {
  const out = await temporaryFolder();
  const failing = experiment("toy/fails", async () => {
    throw new Error("no such thing");
  });
  const { code, stderr } = await gradlab(["reproduce", "--out", out, "--quiet"], {
    experiments: [agreeing, failing],
  });
  expect([code, stderr]).toEqual([1, "gradlab: toy/fails: no such thing\n"]);
  expect(await readdir(out)).toEqual([]);
});

test("values agree only in shape, in null and within the tolerance", () => {
  expect(check("n", [1, 2], [1, 2.5], 0.5).ok).toBe(true);
  expect(check("n", [1, 2], [1, 2.6], 0.5).ok).toBe(false);
  expect(check("n", [1, 2], [1, 2, 3], 9).ok).toBe(false);
  expect(check("n", [1, 2], 1, 9).ok).toBe(false);
  expect(check("n", 1, Number.NaN, 9).ok).toBe(false);
  expect(check("n", null, null).ok).toBe(true);
  expect(check("n", null, 0, 9).ok).toBe(false);
});

test("--list names the experiments, --only takes an id or a package and refuses others", async () => {
  const experiments = [agreeing, differing];
  expect((await gradlab(["reproduce", "--list"], { experiments })).stdout).toBe(
    "toy/agrees  Title of <toy/agrees>\ntoy/differs  Title of <toy/differs>\n",
  );
  const json = JSON.parse(
    (await gradlab(["reproduce", "--list", "--json", "--only", "toy/agrees"], { experiments })).stdout,
  );
  expect(json.experiments).toEqual([{ id: "toy/agrees", title: "Title of <toy/agrees>", package: "toy" }]);
  const { code, stderr } = await gradlab(["reproduce", "--only", "toys"], { experiments });
  expect([code, stderr]).toEqual([
    2,
    'gradlab: --only: expected one of toy/agrees, toy/differs, got "toys"\n',
  ]);
});

test("a data folder that was asked for must be there, one from the environment may be missing", async () => {
  const out = await temporaryFolder();
  const asked = await gradlab(["reproduce", "--data", "no-such-folder", "--out", out]);
  expect([asked.code, asked.stderr]).toEqual([1, "gradlab: --data: no-such-folder: no such folder\n"]);
  const options = { env: { GRADLAB_DATA: "no-such-folder" }, experiments: [agreeing] };
  const offered = await gradlab(["reproduce", "--out", out, "--json"], options);
  expect(offered.code).toBe(0);
  expect(JSON.parse(offered.stdout).warnings).toEqual([
    "GRADLAB_DATA: no-such-folder: no such folder; using generated input",
  ]);
});

test("a data folder without photographs falls back to a generated picture with a warning", async () => {
  const [data, out] = [await temporaryFolder(), await temporaryFolder()];
  const only = "receptive-field/alexnet-227";
  const { code, stdout } = await gradlab([
    "reproduce",
    "--data",
    data,
    "--out",
    out,
    "--only",
    only,
    "--json",
  ]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).warnings).toEqual([
    `${join(data, "images")}: no photograph found; using a generated picture`,
  ]);
}, 30_000);

test("images with classes are those of the data folder, or generated with a warning", async () => {
  const data = await temporaryFolder();
  const folder = join(data, "fashion-mnist-900");
  const taken: unknown[] = [];
  const look = async () => {
    const warnings: string[] = [];
    try {
      const events = classifiedImages(30, { data: await folderInput(data, "--data") }, 0);
      let next = await events.next();
      for (; !next.done; next = await events.next()) {
        if (next.value.kind === "warning") warnings.push(next.value.text);
      }
      const { train, test, labels, isGenerated } = next.value;
      taken.push([isGenerated, train.count, test.count, train.shape, labels.length, train.images[5]]);
      return [0, warnings];
    } catch (error) {
      return [1, (error as Error).message];
    }
  };
  expect(await look()).toEqual([0, [`${folder}: no images found; using generated ones`]]);
  await mkdir(folder);
  const put = async (part: string, count: number) => {
    const pixels = Uint8Array.from({ length: count * 784 }, (_, i) => i % 251);
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
    const images = writeIdx({ dtype: "uint8", shape: [count, 28, 28], data: pixels });
    await writeFile(join(folder, `${part}-images-idx3-ubyte`), images);
    const classes = writeIdx({ dtype: "uint8", shape: [count], data: labels });
    await writeFile(join(folder, `${part}-labels-idx1-ubyte`), classes);
  };
  await put("train", 20);
  expect(await look()).toEqual([1, `${folder}: expected images for a test, got none`]);
  await put("t10k", 10);
  expect(await look()).toEqual([0, []]);
  expect(taken).toEqual([
    [true, 30, 500, [28, 28, 1], 10, expect.any(Number)],
    [false, 20, 10, [28, 28, 1], 10, 5],
  ]);
});

test("an output that cannot be written is one line and exit code 1", async () => {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "");
  const { code, stderr } = await gradlab(["reproduce", "--out", file, "--quiet"], {
    experiments: [agreeing],
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^gradlab: cannot write into .*file: is a file, not a folder\n$/);
});

test("a report whose second file cannot be written leaves none of them, and no temporary file", async () => {
  const out = await temporaryFolder();
  await mkdir(join(out, "report.json"));
  const { code, stderr } = await gradlab(["reproduce", "--out", out, "--quiet"], { experiments: [agreeing] });
  expect([code, stderr]).toEqual([
    1,
    `gradlab: cannot write ${join(out, "report.json")}: is a folder, not a file\n`,
  ]);
  expect(await readdir(out)).toEqual(["report.json"]);
});

test("a report takes its place in one step: whoever reads meanwhile sees the old one", async () => {
  const out = await temporaryFolder();
  await writeFile(join(out, "report.json"), "old");
  const before = (await stat(join(out, "report.json"))).ino;
  await gradlab(["reproduce", "--out", out, "--quiet"], { experiments: [agreeing] });
  // Renamed into place, not written over.
  expect((await stat(join(out, "report.json"))).ino).not.toBe(before);
  expect((await readdir(out)).sort()).toEqual(["report.html", "report.json"]);
});

test("errors and warnings start a line of their own, behind the progress", async () => {
  const out = await temporaryFolder();
  const failing = experiment("toy/fails", async () => {
    throw new Error("no such thing");
  });
  const { stderr } = await gradlab(["reproduce", "--out", out], { experiments: [failing] });
  expect(stderr).toBe("[1/1] toy/fails … failed\ngradlab: toy/fails: no such thing\n");
  const only = ["reproduce", "--only", "receptive-field/alexnet-227", "--data", out, "--out", out];
  expect((await gradlab(only)).stderr).toMatch(/… \nwarning: [^\n]+\nagrees/);
}, 30_000);

test("the report repeats its command, and its data cannot leave their place in the page", async () => {
  const out = join(await temporaryFolder(), "it's here");
  const script = experiment("toy/script", async () => ({
    checks: [check("</script><b>", 1, 1)],
  }));
  await gradlab(["reproduce", "--out", out, "--seed", "7", "--quiet"], { experiments: [script] });
  const html = await readFile(join(out, "report.html"), "utf8");
  expect(html).toContain("gradlab reproduce --seed 7 --out &#39;".replace("&#39;", "'"));
  expect(html.match(/<\/script>/g)).toHaveLength(1);
  expect(html).not.toContain("</script><b>");
});

const data = process.env.GRADLAB_DATA;

test.skipIf(!data)(
  "with photographs, they are what units are drawn over",
  async () => {
    const out = await temporaryFolder();
    const { code, stdout } = await gradlab([
      "reproduce",
      "--data",
      data!,
      "--out",
      out,
      "--only",
      "receptive-field/alexnet-227",
      "--json",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).warnings).toEqual([]);
    expect(await readFile(join(out, "report.html"), "utf8")).toContain("sees of a photograph");
  },
  30_000,
);

test.skipIf(!data)(
  "with photographs and networks, what is known of them holds, and nothing is left out",
  async () => {
    const out = await temporaryFolder();
    const only = ["--only", "classic-cnns/photographs", "--backend", "wasm"];
    const argv = ["reproduce", "--data", data!, "--out", out, ...only, "--json", "--quiet"];
    const { engine } = await import("@tensorflow/tfjs-core");
    const before = engine().state.numTensors;
    const { code, stdout, stderr } = await gradlab(argv);
    expect([code, stderr, engine().state.numTensors]).toEqual([0, "", before]);
    const { leftOut, experiments } = JSON.parse(stdout);
    expect([leftOut, experiments.length]).toEqual([[], 1]);
    const html = await readFile(join(out, "report.html"), "utf8");
    expect(html).toContain("M ✗ white wolf 12");
  },
  60_000,
);

test.skipIf(!data)(
  "photographs are driven to their targets, survive what is known, and the mean over noise survives more",
  async () => {
    const out = await temporaryFolder();
    const only = ["--only", "attacks/photographs", "--backend", "wasm"];
    const argv = ["reproduce", "--data", data!, "--out", out, ...only, "--json", "--quiet"];
    const { engine } = await import("@tensorflow/tfjs-core");
    const before = engine().state.numTensors;
    const { code, stdout, stderr } = await gradlab(argv);
    expect([code, stderr, engine().state.numTensors]).toEqual([0, "", before]);
    const [{ checks }] = JSON.parse(stdout).experiments;
    expect(checks.map(({ got }: { got: unknown }) => got).slice(0, 3)).toEqual([15, 15, [15, 15]]);
    const html = await readFile(join(out, "report.html"), "utf8");
    expect(html).toContain("brambling");
    expect(html).toContain("electric ray, after JPEG 75 too");
  },
  180_000,
);

test("the same seed draws the same picture, another seed another one", async () => {
  const only = ["reproduce", "--only", "receptive-field/alexnet-227", "--quiet"];
  const picture = async (seed: string) => {
    const out = await temporaryFolder();
    await gradlab([...only, "--seed", seed, "--out", out]);
    return /data:image\/png;base64,[^"]+/.exec(await readFile(join(out, "report.html"), "utf8"))![0];
  };
  const first = await picture("0");
  expect(await picture("0")).toBe(first);
  expect(await picture("1")).not.toBe(first);
}, 60_000);

const run = promisify(execFile);

beforeAll(async () => {
  await readFile(command).catch(() => {
    throw new Error("apps/cli is not built: npm run build");
  });
});

test("the built command prints help and version, and lists its commands without a word on stderr", async () => {
  const { stdout, stderr } = await run(process.execPath, [command, "--help"]);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/receptive-field(.*\n)+.*reproduce/);
  expect(stdout).toContain("Exit codes: 0 done");
  expect((await run(process.execPath, [command, "--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("a reader that closes the pipe early is no error", async () => {
  const script = `"${process.execPath}" "${command}" receptive-field --net resnet-v1-101 --input 224 --json | head -c 10; exit \${PIPESTATUS[0]}`;
  const { stdout, stderr } = await run("bash", ["-c", script]);
  expect([stdout.length, stderr]).toEqual([10, ""]);
});

test("an interrupted run exits with 130", async () => {
  const child = run(process.execPath, [command, "reproduce", "--out", await temporaryFolder()]);
  child.child.stderr!.once("data", () => child.child.kill("SIGINT"));
  await expect(child).rejects.toMatchObject({ code: 130 });
}, 30_000);
