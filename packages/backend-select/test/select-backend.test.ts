import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import {
  engine,
  getBackend,
  getGradient,
  grad,
  memory,
  registerBackend,
  removeBackend,
  setBackend,
  square,
  tensor1d,
  tidy,
  unregisterGradient,
} from "@tensorflow/tfjs-core";
import { afterEach, expect, test, vi } from "vitest";
import {
  type CandidateName,
  doctor,
  NoBackendError,
  type SelectOptions,
  selectBackend,
} from "../src/index.js";

// Runs where neither tfjs-node nor a GPU is; the other test files have those.
const here: SelectOptions = { only: ["webgl", "wasm", "cpu"] };

const original = { ...engine().registryFactory };

afterEach(() => {
  for (const name of Object.keys(engine().registryFactory)) removeBackend(name);
  for (const [name, { factory, priority }] of Object.entries(original))
    registerBackend(name, factory, priority);
  vi.restoreAllMocks();
});

/** Puts a backend that misbehaves in the place of cpu's. */
function replaceCpu(factory: () => MathBackendCPU | Promise<MathBackendCPU>): void {
  if ("cpu" in engine().registryFactory) removeBackend("cpu");
  registerBackend("cpu", factory, 1);
}

const status = (candidates: readonly { name: CandidateName; status: string }[]) =>
  candidates.map(({ name, status }) => `${name} ${status}`);

test("the first candidate that passes is set, with gradients; later ones are not tried", async () => {
  expect(getGradient("Square")).toBeUndefined();
  const selection = await selectBackend(here);
  expect(selection).toMatchObject({ backend: "wasm", tfjsBackend: "wasm", software: null });
  expect(selection.device).toMatch(/^[1-8] threads? with (relaxed )?SIMD$/);
  expect(status(selection.candidates)).toEqual(["webgl absent", "wasm selected", "cpu untried"]);
  expect(selection.candidates[1]!.milliseconds).toBeGreaterThan(0);
  expect(getBackend()).toBe("wasm");
  const values = await tidy(() => grad((x) => square(x))(tensor1d([3]))).data();
  expect(Array.from(values)).toEqual([6]);
});

test("wasm is made to train: the kernels that stock wasm lacks or gets wrong pass the self-test", async () => {
  // Stock wasm fails here with "Kernel 'Conv2DBackpropFilter' not registered".
  const { candidates } = await selectBackend({ only: "wasm" });
  expect(candidates).toMatchObject([{ name: "wasm", status: "selected", reason: null }]);
});

test("nothing but the chosen backend survives: no tensor, no console line", async () => {
  const { numTensors, numDataBuffers } = memory();
  await selectBackend({ only: "cpu" });
  // The cpu backend advertises at its first tensor: that is behind us.
  tensor1d([1]).dispose();
  expect(memory()).toMatchObject({ numTensors, numDataBuffers });
});

test("prefer moves candidates to the front and keeps the others as a way out", async () => {
  const { candidates, backend } = await selectBackend({ prefer: ["webgl", "cpu"] });
  expect(backend).toBe("cpu");
  expect(status(candidates).slice(0, 2)).toEqual(["webgl absent", "cpu selected"]);
  expect(candidates).toHaveLength(6);
});

test("only one candidate, which does not pass, is an error that says why", async () => {
  const failed = await selectBackend({ only: "webgl" }).catch((error) => error);
  expect(failed).toBeInstanceOf(NoBackendError);
  expect(failed.message).toBe("selectBackend: no backend passed: webgl: exists in browsers only");
  expect(status(failed.candidates)).toEqual(["webgl absent"]);
});

test("a backend that cannot be initialized is rejected with what its factory threw, and the registry is as before", async () => {
  replaceCpu(() => {
    throw new Error("out of luck");
  });
  const factory = engine().registryFactory.cpu!.factory;
  await selectBackend({ only: "wasm" });
  const failed = await selectBackend({ only: "cpu" }).catch((error) => error);
  expect(failed.candidates).toMatchObject([
    { status: "rejected", reason: "could not be initialized: out of luck" },
  ]);
  expect(getBackend()).toBe("wasm");
  expect(engine().registryFactory.cpu!.factory).toBe(factory);
  expect("cpu" in engine().registry).toBe(false);
});

test("a rejected promise of a factory is said too", async () => {
  replaceCpu(() => Promise.reject(new Error("later out of luck")));
  await expect(selectBackend({ only: "cpu" })).rejects.toThrow("could not be initialized: later out of luck");
});

test("a candidate that hangs is given up after timeoutMs; what it brings later changes nothing", async () => {
  let bring: (backend: MathBackendCPU) => void = () => {};
  replaceCpu(() => new Promise((resolve) => (bring = resolve)));
  const { backend, candidates } = await selectBackend({ only: ["cpu", "wasm"], timeoutMs: 1_000 });
  expect(candidates[0]).toMatchObject({ status: "rejected", reason: "gave no answer within 1000 ms" });
  expect(backend).toBe("wasm");
  bring(new MathBackendCPU());
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(getBackend()).toBe("wasm");
  expect("cpu" in engine().registry).toBe(false);
});

test("a read that never ends leaves no tensor of the self-test behind", async () => {
  class Deaf extends MathBackendCPU {
    override read = () => new Promise<never>(() => {});
  }
  await selectBackend({ only: "wasm" });
  const { numTensors } = memory();
  replaceCpu(() => new Deaf());
  await expect(selectBackend({ only: "cpu", timeoutMs: 100 })).rejects.toThrow(
    "gave no answer within 100 ms",
  );
  expect(memory().numTensors).toBe(numTensors);
  expect(getBackend()).toBe("wasm");
});

test("a backend that computes zeros is rejected", async () => {
  class Zeros extends MathBackendCPU {
    override async read(dataId: object) {
      return new Float32Array((await super.read(dataId)).length) as never;
    }
  }
  replaceCpu(() => new Zeros());
  await expect(selectBackend({ only: "cpu" })).rejects.toThrow(
    "cpu: self-test: matMul: expected [4097,185,129,8], got [0,0,0,0]",
  );
});

test("a backend in use, rejected now, keeps its tensors and stays as it was", async () => {
  class Zeros extends MathBackendCPU {
    zeros = false;
    override async read(dataId: object) {
      const values = await super.read(dataId);
      return (this.zeros ? new Float32Array(values.length) : values) as never;
    }
  }
  const mine = new Zeros();
  replaceCpu(() => mine);
  await selectBackend({ only: "cpu" });
  const kept = tensor1d([1, 2]);
  mine.zeros = true;
  await expect(selectBackend({ only: "cpu" })).rejects.toThrow(NoBackendError);
  mine.zeros = false;
  expect(getBackend()).toBe("cpu");
  expect(Array.from(await kept.data())).toEqual([1, 2]);
  kept.dispose();
});

test("without requireGradients, none are installed", async () => {
  unregisterGradient("Square");
  await selectBackend({ only: "cpu", requireGradients: false });
  expect(getGradient("Square")).toBeUndefined();
  await selectBackend({ only: "cpu" });
  expect(getGradient("Square")).toBeDefined();
});

test("doctor tries all, marks one as selected and leaves it set, and releases the others", async () => {
  const { candidates, advice } = await doctor({ only: ["cpu", "wasm", "webgl"] });
  expect(status(candidates)).toEqual(["cpu selected", "wasm usable", "webgl absent"]);
  expect(getBackend()).toBe("cpu");
  expect("wasm" in engine().registry).toBe(false);
  expect(advice).toEqual([]);
  expect(status((await doctor(here)).candidates)).toEqual(["webgl absent", "wasm selected", "cpu usable"]);
});

test("doctor where nothing passes leaves tfjs as it was", async () => {
  const before = engine().backendName;
  expect(await doctor({ only: "webgl" })).toMatchObject({ candidates: [{ status: "absent" }] });
  expect(engine().backendName).toBe(before);
});

test("a benchmark takes the fastest by the step that it is given, and reports every time", async () => {
  const step = vi.fn(() => new Promise((resolve) => setTimeout(resolve, getBackend() === "wasm" ? 30 : 1)));
  const { backend, candidates } = await selectBackend({ ...here, benchmark: step });
  expect(backend).toBe("cpu");
  expect(getBackend()).toBe("cpu");
  expect(status(candidates)).toEqual(["webgl absent", "wasm usable", "cpu selected"]);
  expect(candidates[1]!.stepMilliseconds).toBeGreaterThan(25);
  expect(candidates[2]!.stepMilliseconds).toBeLessThan(25);
  expect(step).toHaveBeenCalledTimes(18);
});

test("the benchmark's own step leaves no tensor", async () => {
  const { numTensors } = memory();
  await selectBackend({ only: ["wasm"], benchmark: true });
  expect(memory().numTensors).toBe(numTensors);
});

test("an aborted selection throws the signal's reason and leaves tfjs as it was", async () => {
  await selectBackend({ only: "wasm" });
  replaceCpu(() => new Promise<never>(() => {}));
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("enough")), 50);
  await expect(selectBackend({ only: ["cpu", "wasm"], signal: controller.signal })).rejects.toThrow("enough");
  expect(getBackend()).toBe("wasm");
  const late = selectBackend({ only: "cpu", signal: AbortSignal.abort(new Error("too late")) });
  await expect(late).rejects.toThrow("too late");
});

test("selections that overlap run one after the other", async () => {
  const [first, second] = await Promise.all([
    selectBackend({ only: "cpu" }),
    selectBackend({ only: "wasm" }),
  ]);
  expect([first.backend, second.backend]).toEqual(["cpu", "wasm"]);
  expect(getBackend()).toBe("wasm");
});

test("lines that others print while a backend is tried still appear", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  replaceCpu(() => {
    // biome-ignore lint/suspicious/noConsole: the line whose passage is tested
    console.warn("mine");
    return new MathBackendCPU();
  });
  await selectBackend({ only: "cpu" });
  expect(warn.mock.calls).toEqual([["mine"]]);
});

test.each<[object, string]>([
  [
    { prefer: "cuda" },
    "selectBackend: prefer: expected tfjs-node-gpu, webgpu, tfjs-node, webgl, wasm, cpu, got cuda",
  ],
  [{ only: ["cpu", "gpu"] }, "selectBackend: only: expected"],
  [{ only: [] }, "selectBackend: only: expected at least one candidate, got none"],
  [{ only: "cpu", prefer: "wasm" }, "selectBackend: prefer: expected none beside only, got wasm"],
  [{ timeoutMs: 0 }, "selectBackend: timeoutMs: expected a positive number, got 0"],
  [{ timeoutMs: Number.NaN }, "selectBackend: timeoutMs: expected a positive number, got NaN"],
  [{ allowSoftwareGpu: "yes" }, "selectBackend: allowSoftwareGpu: expected a boolean, got yes"],
  [{ requireGradients: 1 }, "selectBackend: requireGradients: expected a boolean, got 1"],
  [{ benchmark: 3 }, "selectBackend: benchmark: expected a boolean or a function, got 3"],
])("%j is refused before anything is tried", async (options, message) => {
  const before = engine().backendName;
  await expect(selectBackend(options as SelectOptions)).rejects.toThrow(message);
  expect(engine().backendName).toBe(before);
});

test("wrong wasmPaths are the reason why wasm is rejected, and nothing is printed", async () => {
  const { backend, candidates } = await selectBackend({ only: ["wasm", "cpu"], wasmPaths: "/nowhere/" });
  expect(backend).toBe("cpu");
  expect(candidates[0]).toMatchObject({ status: "rejected" });
  expect(candidates[0]!.reason).toMatch(/could not be initialized/);
  await setBackend("cpu");
});
