/**
 * The page of `selection.test.ts`: what `doctor` says, also where something is broken on purpose. Each scenario
 * runs in a page that was just loaded, and gives plain data.
 */
import { doctor, type Selection, type SelectOptions, selectBackend } from "@gradlab/backend-select";
import type { MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";

const wasmPaths = "/wasm/";

/** How a promise ends: with its value as text, with the message of its error, or not within two seconds. */
const outcome = (promise: Promise<unknown>): Promise<string> =>
  Promise.race([
    promise.then(
      (value) => `gave ${value}`,
      (error: Error) => error.message,
    ),
    new Promise<string>((resolve) => setTimeout(resolve, 2000, "nothing happened")),
  ]);

const lossOf = ({ lost }: Selection) => outcome(lost.then(({ message }) => message));

/** Three numbers that an op computed on the device: `[n, n + 1, n + 2]`. */
const numbers = (n: number) => tf.tidy(() => tf.add(tf.range(0, 3), tf.fill([3], n)));

/** On the device, where tfjs would take the CPU for tensors as small as these. */
async function selectDevice(only: "webgpu" | "webgl"): Promise<Selection> {
  const selection = await selectBackend({ only, allowSoftwareGpu: true });
  tf.env().set(`${only.toUpperCase()}_CPU_FORWARD`, false);
  return selection;
}

/** Reads before and after a device is broken, what is told about it, and whether another selection works. */
async function breakDevice(only: "webgpu" | "webgl", harm: () => unknown) {
  const selection = await selectDevice(only);
  const [read, kept] = [numbers(1), numbers(4)];
  const before = String(await read.data());
  const underWay = outcome(kept.data());
  const harmed = (await harm()) ?? null;
  const after = {
    harmed,
    underWay: await underWay,
    kept: await outcome(kept.data()),
    synchronous: await outcome((async () => tf.backend().readSync(kept.dataId))()),
    computed: await outcome((async () => numbers(7).data())()),
    lost: await lossOf(selection),
  };
  const again = await selectDevice(only);
  return { before, ...after, again: again.backend, anew: String(await numbers(1).data()) };
}

const scenarios = {
  /** What `doctor` says, what is set and registered afterwards. */
  async diagnose(options: SelectOptions) {
    const { candidates, advice } = await doctor({ wasmPaths, ...options });
    const registered = Object.keys(tf.engine().registryFactory);
    return { candidates, advice, set: tf.getBackend(), registered };
  },

  async diagnoseWithoutWebgpu() {
    Object.defineProperty(navigator, "gpu", { value: undefined });
    return scenarios.diagnose({ allowSoftwareGpu: true });
  },

  async diagnoseWithoutAdapter() {
    Object.defineProperty(navigator.gpu, "requestAdapter", { value: async () => null });
    return scenarios.diagnose({ allowSoftwareGpu: true });
  },

  async diagnoseWithoutFloatTextures() {
    for (const { prototype } of [WebGL2RenderingContext, WebGLRenderingContext]) {
      const { getExtension } = prototype;
      prototype.getExtension = function (this: WebGLRenderingContext, name: string) {
        return /^(EXT|WEBGL)_color_buffer_float$/.test(name) ? null : getExtension.call(this, name as never);
      } as typeof getExtension;
    }
    return scenarios.diagnose({ allowSoftwareGpu: true, prefer: "webgl" });
  },

  async diagnoseWithoutWebgl() {
    for (const { prototype } of [HTMLCanvasElement, OffscreenCanvas]) prototype.getContext = () => null;
    return scenarios.diagnose({ only: ["webgl", "wasm"] });
  },

  /** The files of WASM come after the time is over. */
  async diagnoseWithSlowWasm() {
    const given = await scenarios.diagnose({ wasmPaths: "/slow/", timeoutMs: 300, only: ["wasm", "cpu"] });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const registered = Object.keys(tf.engine().registryFactory);
    return { ...given, later: { set: tf.getBackend(), registered, values: String(await numbers(1).data()) } };
  },

  /** A wrong place, and after it the right one. */
  async correctWasmPaths() {
    const wrong = await scenarios.diagnose({ wasmPaths: "/elsewhere/", only: ["wasm", "cpu"] });
    const right = await scenarios.diagnose({ only: ["wasm", "cpu"] });
    return { wrong, right };
  },

  loseWebgpuDevice: () => breakDevice("webgpu", () => (tf.backend() as WebGPUBackend).device.destroy()),

  /** A sum over more bytes than a buffer may have; tfjs alone gives a wrong one. */
  exceedWebgpuLimits: () =>
    breakDevice("webgpu", () => {
      const { maxBufferSize } = (tf.backend() as WebGPUBackend).device.limits;
      return outcome(tf.tidy(() => tf.sum(tf.fill([maxBufferSize / 2], 1))).data());
    }),

  async loseWebglContext() {
    const result = await breakDevice("webgl", () => {
      const { gl } = (tf.backend() as MathBackendWebGL).gpgpu;
      gl.getExtension("WEBGL_lose_context")!.loseContext();
    });
    const { prototype } = WebGL2RenderingContext;
    const { clientWaitSync } = prototype;
    let polls = 0;
    prototype.clientWaitSync = function (...args) {
      polls++;
      return clientWaitSync.apply(this, args);
    };
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { ...result, polls };
  },
};

Object.assign(globalThis, { scenarios });

export type Scenarios = typeof scenarios;
