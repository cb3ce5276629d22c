import { tmpdir } from "node:os";
import type { Attempt } from "../attempt.js";
import { currentGpu, type Gpu, type GpuAdapterInfo } from "../gpu.js";
import { askChild, type ChildAnswer } from "./ask-child.js";
import { importPackage } from "./find-package.js";
import { setEnvironment } from "./set-environment.js";

interface DawnModule {
  readonly create: (flags: string[]) => Gpu;
  readonly globals: Readonly<Record<string, unknown>>;
}

/** Never released: Dawn's objects must not outlive it, and it does not keep Node running. */
let instance: Gpu | undefined;

/**
 * Gives Node a `navigator.gpu` and the globals of WebGPU, by Dawn. A child process looks for
 * an adapter first: drivers print, take their time and crash.
 *
 * @param url Entry of the npm package `webgpu`.
 */
export async function provideDawn(attempt: Attempt, url: string): Promise<void> {
  if (currentGpu() !== undefined) return;
  const environment = vulkanEnvironment(attempt.settings.allowSoftwareGpu);
  const found = await attempt.during(lookForAdapter(url, environment, attempt));
  if ("failure" in found) throw new Error(`Dawn does not run here: ${found.failure}`);
  const { adapter } = found.answer as { adapter: GpuAdapterInfo | null };
  if (adapter === null)
    throw new Error("Dawn finds no adapter: no GPU, or no Vulkan, Metal or D3D12 driver for it");
  attempt.onSettled(setEnvironment(environment));
  const { create, globals } = await attempt.during(importPackage<DawnModule>(url));
  instance ??= create([]);
  attempt.onClose(defineGlobals(globals));
  attempt.onClose(defineGpu(instance));
}

function lookForAdapter(
  url: string,
  environment: Record<string, string>,
  attempt: Attempt,
): Promise<ChildAnswer> {
  const script = `
  const { create } = await import(${JSON.stringify(url)});
  const adapter = await create([]).requestAdapter({ powerPreference: "high-performance" });
  answer({ adapter: adapter && { description: adapter.info.description } });`;
  const unset = Object.entries(environment).filter(([name]) => process.env[name] === undefined);
  return askChild(script, { signal: attempt.signal, environment: Object.fromEntries(unset) });
}

/**
 * Wayland's client complains where the run-time directory is not set. Mesa's driver for
 * CPUs is the slowest to load, and is left out where it would be refused.
 */
function vulkanEnvironment(allowSoftwareGpu: boolean): Record<string, string> {
  return {
    XDG_RUNTIME_DIR: tmpdir(),
    ...(!allowSoftwareGpu && { VK_LOADER_DRIVERS_DISABLE: "*lvp*" }),
  };
}

function defineGlobals(globals: Readonly<Record<string, unknown>>): () => void {
  const scope = globalThis as unknown as Record<string, unknown>;
  const names = Object.keys(globals).filter((name) => !(name in scope));
  for (const name of names) {
    Object.defineProperty(scope, name, { value: globals[name], configurable: true, writable: true });
  }
  return () => {
    for (const name of names) delete scope[name];
  };
}

/** Node 20 has no `navigator`, later ones have one that cannot be replaced. */
function defineGpu(gpu: Gpu): () => void {
  const scope = globalThis as { navigator?: object };
  const own = scope.navigator === undefined;
  if (own) Object.defineProperty(scope, "navigator", { value: {}, configurable: true, writable: true });
  const { navigator } = scope as { navigator: { gpu?: Gpu } };
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  return () => {
    delete navigator.gpu;
    if (own) delete scope.navigator;
  };
}
