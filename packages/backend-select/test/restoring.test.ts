import { getEventListeners } from "node:events";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import {
  engine,
  env,
  getBackend,
  getKernel,
  type KernelFunc,
  registerBackend,
  registerKernel,
  removeBackend,
  setBackend,
  tensor1d,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { Attempt } from "../src/attempt.js";
import { deadline } from "../src/deadline.js";
import { doctor, NoBackendError, selectBackend } from "../src/index.js";
import { setEnvironment } from "../src/node/set-environment.js";
import { installStandIns } from "./stand-in-tensorflow.js";

/*
 * What a selection leaves behind: nothing but the backend that it chose, whichever way it ended. And what it lets pass: nothing
 * that computes worse than it says.
 */

const original = { ...engine().registryFactory };

afterEach(() => {
  for (const name of Object.keys(engine().registryFactory)) removeBackend(name);
  for (const [name, { factory, priority }] of Object.entries(original))
    registerBackend(name, factory, priority);
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Puts a backend that misbehaves in the place of cpu's. */
function replaceCpu(factory: () => MathBackendCPU | Promise<MathBackendCPU>): void {
  if ("cpu" in engine().registryFactory) removeBackend("cpu");
  registerBackend("cpu", factory, 1);
}

/** A time that nobody else waits for. */
const patience = 60_123;

/** How many timers of `patience` were set and are still running. */
function runningTimers(): () => number {
  const set = vi.spyOn(globalThis, "setTimeout");
  const cleared = vi.spyOn(globalThis, "clearTimeout");
  return () => {
    const ours = set.mock.results.filter((_, i) => set.mock.calls[i]![1] === patience);
    expect(ours.length).toBeGreaterThan(0);
    const gone = new Set(cleared.mock.calls.map(([timer]) => timer));
    return ours.filter(({ value }) => !gone.has(value)).length;
  };
}

const flags = () => env().getFlags() as Record<string, unknown>;

/** Sets tfjs's flag for production, or takes it away. */
function setProd(value: boolean | undefined): void {
  if (value === undefined) delete flags().PROD;
  else env().set("PROD", value);
}

test.each([true, false, undefined])(
  "tfjs's flag PROD, %s before, is so again however a selection ends, and true in between",
  async (before) => {
    const whole = { ...flags() };
    onTestFinished(() => setProd(whole.PROD as boolean | undefined));
    vi.spyOn(console, "warn").mockImplementation(() => {}); // the advertisement of cpu
    const seen: unknown[] = [];
    replaceCpu(() => {
      seen.push(flags().PROD);
      return new MathBackendCPU();
    });
    setProd(before);
    await selectBackend({ only: "cpu" });
    expect(flags().PROD).toBe(before);
    expect("PROD" in flags()).toBe(before !== undefined);
    await doctor({ only: ["cpu", "wasm"] });
    expect(flags().PROD).toBe(before);
    await selectBackend({ only: "webgl" }).catch(() => {});
    expect(flags().PROD).toBe(before);
    const aborted = selectBackend({ only: "cpu", signal: AbortSignal.abort(new Error("no")) });
    await expect(aborted).rejects.toThrow("no");
    expect(flags().PROD).toBe(before);
    expect(seen[0]).toBe(true);
  },
);

test("flags that a rejected candidate sets, and those of one that only passed, are as before", async () => {
  await selectBackend({ only: "wasm" });
  env().set("CHECK_COMPUTATION_FOR_ERRORS", false);
  const before = { ...flags() };
  let broken = true;
  replaceCpu(() => {
    env().set("CHECK_COMPUTATION_FOR_ERRORS", true);
    if (broken) throw new Error("broken");
    return new MathBackendCPU();
  });
  await expect(selectBackend({ only: "cpu" })).rejects.toThrow("broken");
  expect(flags()).toEqual(before);
  broken = false;
  const { candidates } = await doctor({ only: ["wasm", "cpu"] });
  expect(candidates.map(({ status }) => status)).toEqual(["selected", "usable"]);
  expect(flags()).toEqual(before);
});

test("console is the console again, also where somebody replaced a method meanwhile", async () => {
  // biome-ignore lint/suspicious/noConsole: nothing is printed
  const methods = () => ["log", "warn", "error"].map((name) => console[name as "log"]);
  const before = methods();
  await selectBackend({ only: "cpu" });
  expect(methods()).toEqual(before);
  await selectBackend({ only: "webgl" }).catch(() => {});
  expect(methods()).toEqual(before);
  const theirs = () => {};
  replaceCpu(() => {
    Object.assign(console, { warn: theirs });
    return new MathBackendCPU();
  });
  await selectBackend({ only: "cpu" });
  expect(methods()).toEqual([before[0], theirs, before[2]]);
  Object.assign(console, { warn: before[1] });
});

test("no timer keeps Node alive after a selection, a rejection or an abort", async () => {
  const running = runningTimers();
  await selectBackend({ only: ["webgl", "wasm"], timeoutMs: patience });
  expect(running()).toBe(0);
  replaceCpu(() => {
    throw new Error("broken");
  });
  await selectBackend({ only: "cpu", timeoutMs: patience }).catch(() => {});
  expect(running()).toBe(0);
  replaceCpu(() => new Promise<never>(() => {}));
  const controller = new AbortController();
  const aborted = selectBackend({ only: "cpu", timeoutMs: patience, signal: controller.signal });
  await new Promise((done) => setTimeout(done, 20));
  controller.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
  expect(running()).toBe(0);
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
});

test("a deadline leaves neither a timer nor a listener, whichever of the two comes first", async () => {
  const { signal } = new AbortController();
  const running = runningTimers();
  expect(await deadline(Promise.resolve(3), patience, signal)).toBe(3);
  await expect(deadline(Promise.reject(new Error("failed")), patience, signal)).rejects.toThrow("failed");
  await expect(deadline(new Promise(() => {}), 5, signal)).rejects.toThrow("gave no answer within 5 ms");
  const aborted = deadline(new Promise(() => {}), patience, AbortSignal.abort(new Error("enough")));
  await expect(aborted).rejects.toThrow("enough");
  expect(running()).toBe(0);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("an abort is heard while a step is timed that never ends", async () => {
  await selectBackend({ only: "cpu" });
  const controller = new AbortController();
  const benchmark = () => {
    controller.abort(new Error("enough"));
    return new Promise<never>(() => {});
  };
  const { signal } = controller;
  await expect(selectBackend({ only: "wasm", benchmark, signal })).rejects.toThrow("enough");
  expect(getBackend()).toBe("cpu");
  expect("wasm" in engine().registry).toBe(false);
});

test("an abort after a candidate passed undoes that one too", async () => {
  await selectBackend({ only: "cpu" });
  const kept = tensor1d([1, 2]);
  const mine = engine().registryFactory.cpu;
  const controller = new AbortController();
  // A step is only timed after the candidate passed.
  const benchmark = async () => {
    if (getBackend() === "wasm") controller.abort(new Error("enough"));
    await new Promise((done) => setTimeout(done, 5));
  };
  const options = { only: ["wasm", "cpu"] as const, signal: controller.signal, benchmark };
  await expect(selectBackend(options)).rejects.toThrow("enough");
  expect(getBackend()).toBe("cpu");
  expect("wasm" in engine().registry).toBe(false);
  expect(engine().registryFactory.cpu).toBe(mine);
  expect(Array.from(await kept.data())).toEqual([1, 2]);
  kept.dispose();
});

test("an abort while the next candidate is tried undoes the one that passed", async () => {
  await selectBackend({ only: "cpu" });
  const before = engine().registryFactory.cpu!.factory;
  const controller = new AbortController();
  // tfjs-node hangs after wasm has passed.
  const { folder, remove } = installStandIns({ name: "tfjs-node", onImport: "for (;;);" });
  onTestFinished(remove);
  setTimeout(() => controller.abort(new Error("enough")), 1500);
  const started = performance.now();
  const diagnosis = doctor({ only: ["wasm", "tfjs-node"], signal: controller.signal, resolveFrom: folder });
  await expect(diagnosis).rejects.toThrow("enough");
  expect(performance.now() - started).toBeGreaterThan(1400);
  expect("wasm" in engine().registry).toBe(false);
  expect(getBackend()).toBe("cpu");
  expect(engine().registryFactory.cpu!.factory).toBe(before);
});

test("changes of an attempt are undone once, in reverse, and at once where they come too late", () => {
  const settings = { allowSoftwareGpu: false, wasmPaths: undefined, resolveFrom: undefined };
  const attempt = new Attempt(settings, new AbortController().signal, new Map());
  const undone: string[] = [];
  attempt.onSettled(() => undone.push("first settled"));
  attempt.onSettled(() => undone.push("second settled"));
  attempt.onClose(() => undone.push("first closed"));
  attempt.onClose(() => undone.push("second closed"));
  expect(undone).toEqual([]);
  attempt.settle();
  expect(undone).toEqual(["second settled", "first settled"]);
  attempt.close();
  expect(undone.splice(0)).toEqual(["second settled", "first settled", "second closed", "first closed"]);
  attempt.settle();
  attempt.close();
  expect(undone).toEqual([]);
  attempt.onSettled(() => undone.push("late"));
  attempt.onClose(() => undone.push("later"));
  expect(undone).toEqual(["late", "later"]);
});

test("environment variables are set only where they are not, and taken back only where they still are", () => {
  vi.stubEnv("GRADLAB_TEST_A", "mine");
  vi.stubEnv("GRADLAB_TEST_B", undefined);
  vi.stubEnv("GRADLAB_TEST_C", undefined);
  const values = () => ["A", "B", "C"].map((name) => process.env[`GRADLAB_TEST_${name}`]);
  const undo = setEnvironment({ GRADLAB_TEST_A: "a", GRADLAB_TEST_B: "b", GRADLAB_TEST_C: "c" });
  expect(values()).toEqual(["mine", "b", "c"]);
  process.env.GRADLAB_TEST_C = "changed";
  undo();
  expect(values()).toEqual(["mine", undefined, "changed"]);
  delete process.env.GRADLAB_TEST_C;
});

test.each(["selected", "rejected"])(
  "the variables that tfjs-node is loaded with are gone when it was %s, and those of the user stay",
  async (outcome) => {
    const names = ["TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH"] as const;
    vi.stubEnv(names[0], "0");
    vi.stubEnv(names[1], undefined);
    const seen = globalThis as { seenByTensorflow?: (string | undefined)[] };
    const { folder, remove } = installStandIns({
      name: "tfjs-node",
      onImport: `globalThis.seenByTensorflow = ${JSON.stringify(names)}.map((name) => process.env[name]);`,
      // Wrong in this process only: the child that tries it first has an IPC channel of its own.
      ...(outcome === "rejected" && {
        onKernel:
          'if (globalThis.spoilTensorflow && name === "MaxPoolGrad") return call.backend.makeTensorInfo(call.inputs.input.shape, "float32", new Float32Array(4));',
      }),
    });
    onTestFinished(() => {
      remove();
      delete seen.seenByTensorflow;
      delete (seen as { spoilTensorflow?: boolean }).spoilTensorflow;
      if ("tensorflow" in engine().registryFactory) removeBackend("tensorflow");
    });
    Object.assign(globalThis, { spoilTensorflow: true });
    const result = selectBackend({ only: "tfjs-node", resolveFrom: folder, timeoutMs: 15_000 });
    if (outcome === "selected") await result;
    else await expect(result).rejects.toThrow("self-test: gradient of maxPool");
    expect(seen.seenByTensorflow).toEqual(["0", "true"]);
    expect(names.map((name) => process.env[name])).toEqual(["0", undefined]);
  },
);

// float32 rounds by 6e-8, and TF32 keeps the inputs of the test exactly: a kernel that is off by more is wrong.
const computed: readonly (readonly [kernel: string, what: string])[] = [
  ["BatchMatMul", "matMul"],
  ["Conv2D", "conv2d"],
  ["MaxPool", "maxPool of negative values"],
  ["GatherV2", "embedding"],
  ["Conv2DBackpropInput", "gradient of conv2d (image)"],
  ["Conv2DBackpropFilter", "gradient of conv2d (filter)"],
  ["MaxPoolGrad", "gradient of maxPool of negative values"],
  ["ScatterNd", "gradient of embedding"],
  ["Sqrt", "step of Adam"],
];

/** Scales what a kernel of the cpu backend gives, until the test is over. */
function scaleKernel(kernelName: string, factor: number): void {
  const stock = getKernel(kernelName, "cpu");
  const kernelFunc: KernelFunc = (args) => {
    const result = stock.kernelFunc(args) as { dataId: object };
    const { values } = (args.backend as MathBackendCPU).data.get(result.dataId) as { values: Float32Array };
    for (const i of values.keys()) values[i]! *= factor;
    return result as ReturnType<KernelFunc>;
  };
  unregisterKernel(kernelName, "cpu");
  registerKernel({ ...stock, kernelFunc });
  onTestFinished(() => {
    unregisterKernel(kernelName, "cpu");
    registerKernel(stock);
  });
}

test.each(computed)("a backend whose %s is off by 1e-3 is rejected at %s", async (kernelName, what) => {
  scaleKernel(kernelName, 1 + 1e-3);
  const failed = await selectBackend({ only: "cpu" }).catch((error) => error);
  expect(failed).toBeInstanceOf(NoBackendError);
  expect(failed.message).toContain(`cpu: self-test: ${what}: expected [`);
});

test("a backend off by 3e-4 is rejected, one off by 3e-5 passes", async () => {
  class Off extends MathBackendCPU {
    factor = 1 + 3e-4;
    override async read(dataId: object) {
      const values = await super.read(dataId);
      return Float32Array.from(values as Float32Array, (value) => value * this.factor) as never;
    }
  }
  const off = new Off();
  replaceCpu(() => off);
  await expect(selectBackend({ only: "cpu" })).rejects.toThrow("cpu: self-test: matMul: expected [4097,");
  off.factor = 1 + 3e-5;
  replaceCpu(() => off);
  expect(await selectBackend({ only: "cpu" })).toMatchObject({ backend: "cpu" });
});

test("a backend that gives a number too few or too many is rejected", async () => {
  for (const change of [-1, 1]) {
    class Other extends MathBackendCPU {
      override async read(dataId: object) {
        const values = Array.from((await super.read(dataId)) as Float32Array);
        return Float32Array.from(change < 0 ? values.slice(0, change) : [...values, 0]) as never;
      }
    }
    replaceCpu(() => new Other());
    await expect(selectBackend({ only: "cpu" })).rejects.toThrow("cpu: self-test: matMul: expected");
  }
});

test("without gradients to test, wrong ones do not matter", async () => {
  scaleKernel("MaxPoolGrad", 2);
  expect(await selectBackend({ only: "cpu", requireGradients: false })).toMatchObject({ backend: "cpu" });
  await expect(selectBackend({ only: "cpu" })).rejects.toThrow("gradient of maxPool");
});

test("a registration that was there keeps its factory and priority, and an active backend is active again", async () => {
  await selectBackend({ only: "cpu" });
  const factory = () => new MathBackendCPU();
  registerBackend("another", factory, 7);
  await setBackend("another");
  const instance = engine().backend;
  await expect(selectBackend({ only: "webgl" })).rejects.toThrow(NoBackendError);
  expect(getBackend()).toBe("another");
  expect(engine().registryFactory.another).toMatchObject({ factory, priority: 7 });
  expect(engine().backend).toBe(instance);
  replaceCpu(() => {
    removeBackend("another");
    throw new Error("and takes another away");
  });
  await expect(selectBackend({ only: "cpu" })).rejects.toThrow("takes another away");
  expect(engine().registryFactory.another).toMatchObject({ factory, priority: 7 });
});
