/**
 * The page of `op-parity.test.ts`: offers functions that run the cases and a training on a backend of the
 * browser, each on the adapter, not on the CPU, which tfjs takes for small tensors.
 */
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import type { MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { backend, env, getBackend, memory, setBackend } from "@tensorflow/tfjs-core";
import { withDeviceErrors } from "../op-parity/device-errors.js";
import {
  type BackendName,
  type CaseOutcome,
  type Golden,
  type OpCase,
  runOpCase,
} from "../op-parity/op-parity.js";
import { smallTraining } from "../op-parity/small-training.js";

export interface PageResult {
  /** What computes, as the browser names it; null for wasm. */
  readonly device: string | null;
  readonly backend: string;
  /** Of wasm. */
  readonly threads: number | null;
  /** Of tfjs alone, before its gradients are repaired; only on webgl, which has no other place. */
  readonly alone: readonly CaseOutcome[];
  readonly cases: readonly PageCase[];
  /** Losses of the small training. */
  readonly training: readonly number[];
  /** The same on the cpu backend. */
  readonly expected: readonly number[];
  /** Tensors and buffers that the training left behind. */
  readonly left: readonly [number, number];
}

interface PageCase extends CaseOutcome {
  readonly name: string;
  /** What the device complained of meanwhile. */
  readonly errors: readonly string[];
  readonly left: readonly [number, number];
}

let threads: number | null = null;

async function select(name: BackendName): Promise<string | null> {
  env().set("PROD", true); // no advertisement on the console
  env().set("WEBGPU_CPU_FORWARD", false);
  env().set("WEBGL_CPU_FORWARD", false);
  // Before the backend starts: threads need its shared memory.
  if (name === "wasm") ({ threads } = await enableWasmTraining({ wasmPaths: "/wasm/", threads: 2 }));
  if (!(await setBackend(name))) throw new Error(`setBackend: ${name} was refused`);
  if (name === "webgpu") {
    const { vendor, architecture } = (await navigator.gpu.requestAdapter())?.info ?? {};
    return `${vendor} ${architecture}`;
  }
  if (name === "webgl") {
    const { gl } = (backend() as MathBackendWebGL).gpgpu;
    const names = gl.getExtension("WEBGL_debug_renderer_info");
    return names && gl.getParameter(names.UNMASKED_RENDERER_WEBGL);
  }
  return null;
}

const alive = () => [memory().numTensors, backend().numDataIds()] as const;
const since = ([tensors, buffers]: readonly [number, number]) =>
  [memory().numTensors - tensors, backend().numDataIds() - buffers] as const;

async function runPage(
  name: BackendName,
  opCases: readonly OpCase[],
  golden: Readonly<Record<string, Golden>>,
): Promise<PageResult> {
  const device = await select(name);
  const gpu = name === "webgpu" ? (backend() as WebGPUBackend).device : null;
  const alone: CaseOutcome[] = [];
  if (name === "webgl") {
    await import("../op-parity/tfjs-gradients.js");
    for (const opCase of opCases) alone.push(await runOpCase(opCase, golden[opCase.name]));
  }
  installGradients();
  if (name !== "wasm") repairKernels(name);
  const cases: PageCase[] = [];
  for (const opCase of opCases) {
    const before = alive();
    const { result, errors } = await withDeviceErrors(gpu, () => runOpCase(opCase, golden[opCase.name]));
    cases.push({ name: opCase.name, ...result, errors, left: since(before) });
  }
  const before = alive();
  const training = await smallTraining({ steps: 20 });
  const left = since(before);
  const used = getBackend();
  await setBackend("cpu");
  const expected = await smallTraining({ steps: 20 });
  return { device, backend: used, threads, alone, cases, training, expected, left };
}

Object.assign(globalThis, { runPage });
