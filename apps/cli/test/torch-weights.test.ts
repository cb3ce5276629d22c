import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type RawTensor, writeSafetensors } from "@gradlab/safetensors";
import { readTorch } from "@gradlab/torch-files";
import { expect, test } from "vitest";
import { writeGrey } from "./pictures.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

const golden = join(import.meta.dirname, "golden");
const plain = join(golden, "lenet.pth");
const wrapped = join(golden, "lenet-wrapped.pth");
const narrow = ["--net", "lenet-relu", "--width", "2,3,8,6", "--classes", "4"];

async function picture(): Promise<string> {
  const file = join(await temporaryFolder(), "waves.png");
  await writeGrey(file, 28, (y, x) => Math.round(127.5 + 127.5 * Math.sin(0.37 * y + 0.11 * x * y)));
  return file;
}

async function classified(weights: string, ...more: string[]) {
  const argv = ["classify", ...narrow, "--weights", weights, ...more, "--backend", "cpu", "--json"];
  const ran = await gradlab([...argv, await picture()]);
  const shares = () =>
    (JSON.parse(ran.stdout).images[0].predictions as { index: number; probability: number }[])
      .toSorted((a, b) => a.index - b.index)
      .map(({ probability }) => probability);
  return { ...ran, shares };
}

test("--key opens a wrapper of any name, --strip-prefix takes a prefix away, and what is no tensor is a note", async () => {
  const known = (await classified(plain)).shares();
  const opened = await classified(wrapped, "--key", "networks.classifier", "--strip-prefix", "net.");
  expect(opened.code).toBe(0);
  expect(opened.shares()).toEqual(known);
  expect(opened.stderr).toContain(
    'left out "best" (a NumPy scalar), "saved" (a date), "criterion.weight" (another prefix)',
  );
  const none = await classified(wrapped);
  expect(none).toMatchObject({ code: 1, stdout: "" });
  expect(JSON.parse(none.stderr).error.message).toContain(
    'expected a dict of tensors, got one of "networks", "ema" (--key opens another, gradlab summary lists all tensors)',
  );
  const wrong = await classified(wrapped, "--key", "networks.gone");
  expect(wrong.code).toBe(2);
  expect(JSON.parse(wrong.stderr).error.message).toContain(
    '--key: expected one of "classifier", got "gone", in ',
  );
  const prefix = await classified(wrapped, "--key", "networks.classifier", "--strip-prefix", "body.");
  expect(prefix.code).toBe(2);
  expect(JSON.parse(prefix.stderr).error.message).toContain(
    '--strip-prefix: expected names that begin with "body.", got "net.',
  );
});

test("--ema takes the averaged weights, whatever wraps them", async () => {
  const shares = (await classified(wrapped, "--ema")).shares();
  for (const [i, share] of [1, 1, 1, 17].entries()) expect(shares[i]).toBeCloseTo(share / 20, 6);
  const none = await classified(plain, "--ema");
  expect(none.code).toBe(2);
  expect(JSON.parse(none.stderr).error.message).toMatch(/--ema: expected one of state_dict_ema, .*, in /);
});

test("a number of classes that does not fit says which does", async () => {
  const argv = [
    "classify",
    "--net",
    "lenet-relu",
    "--width",
    "2,3,8,6",
    "--classes",
    "7",
    "--weights",
    plain,
  ];
  const ran = await gradlab([...argv, "--backend", "cpu", await picture()]);
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toContain("(the file is of 4 classes, the graph of 7: --classes 4)");
});

test("summary --weights lists the tensors of any checkpoint, wherever in it they stand", async () => {
  const { code, stdout, stderr } = await gradlab(["summary", "--weights", wrapped, "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const result = JSON.parse(stdout);
  expect(result.format).toBe("torch");
  const own = [...readTorch(await readFile(plain)).tensors];
  const count = own.reduce((sum, [, { data }]) => sum + data.length, 0);
  expect(result.elements).toBe(2 * count + 5);
  for (const [name, { shape }] of own) {
    expect(result.tensors).toContainEqual({
      name: `networks.classifier.net.${name}`,
      dtype: "F32",
      shape,
      elements: shape.reduce((a, b) => a * b, 1),
    });
  }
  const text = await gradlab(["summary", "--weights", wrapped]);
  expect(text.stdout).toMatch(/^networks\.classifier\.criterion\.weight +F32 +4 +4$/m);
  const out = join(await temporaryFolder(), "tensors.csv");
  await gradlab(["summary", "--weights", wrapped, "--out", out]);
  expect(await readFile(out, "utf8")).toMatch(/^tensor,dtype,shape,elements\n.*\n/);
});

test("a safetensors file of odd dtypes is listed whole; a tensor that is needed in one is named", async () => {
  const file = join(await temporaryFolder(), "odd.safetensors");
  const { tensors } = readTorch(await readFile(plain));
  const [[first, raw], ...rest] = [...tensors] as [[string, RawTensor], ...[string, RawTensor][]];
  // The same number of bytes under another dtype.
  const written = new TextDecoder("latin1").decode(
    writeSafetensors([[first, { ...raw, dtype: "I32", data: new Int32Array(raw.data.length) }], ...rest]),
  );
  await writeFile(file, written.replace('"dtype":"I32"', '"dtype":"U32"'), "latin1");
  const listed = JSON.parse((await gradlab(["summary", "--weights", file, "--json"])).stdout);
  expect(listed.tensors.map(({ dtype }: { dtype: string }) => dtype).toSorted()).toEqual([
    ...rest.map(() => "F32"),
    "U32",
  ]);
  const ran = await classified(file);
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(JSON.parse(ran.stderr).error.message).toMatch(
    new RegExp(`1 missing \\("${first}" .*\\); left out: "${first}" \\(U32\\)`),
  );
});

test.each([
  ["a page", "<!DOCTYPE html><title>404</title>", "a page of HTML"],
  ["a pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"],
  ["gzip", gzipSync("weights"), "gzip (unpack it"],
  ["nothing", "", "no byte"],
])("%s saved as .pth is called that, by classify and by summary", async (_, content, name) => {
  const file = join(await temporaryFolder(), "weights.pth");
  await writeFile(file, content);
  for (const ran of [await classified(file), await gradlab(["summary", "--weights", file])]) {
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toContain(name);
  }
});

test("weights that give NaN are an error that names the layer where it begins", async () => {
  const file = join(await temporaryFolder(), "nan.safetensors");
  const { tensors } = readTorch(await readFile(plain));
  const [name] = [...tensors.keys()].filter((one) => one.endsWith("bias")).slice(-2);
  const data = new Float32Array(tensors.get(name!)!.data.length).fill(Number.NaN);
  await writeFile(
    file,
    writeSafetensors(
      [...tensors, [`${name}`, { dtype: "F32", shape: [data.length], data }]].filter(
        ([one], i) => one !== name || i === tensors.size,
      ) as [string, RawTensor][],
    ),
  );
  const ran = await classified(file);
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  const layer = name!.replace(/\.bias$/, "");
  expect(JSON.parse(ran.stderr).error.message).toMatch(new RegExp(`got NaN .* begins at layer "${layer}"`));
});
