import { readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { type Attempt, NotTriedError, type OpenedBackend } from "../attempt.js";
import { openWebgpu } from "../open-webgpu.js";
import { findPackage, importOptional } from "./import-optional.js";
import { probeDawn, vulkanEnvironment } from "./probe-dawn.js";

interface Dawn {
  readonly create: (options: string[]) => GPU;
  readonly globals: Readonly<Record<string, unknown>>;
}

/** One instance for the process: Dawn does not survive that one is collected while devices are alive. */
let instance: { readonly gpu: GPU; readonly globals: Dawn["globals"] } | undefined;

/** WebGPU in Node: Dawn, Chromium's implementation, by the package `webgpu`. */
export async function openDawn(attempt: Attempt): Promise<OpenedBackend> {
  const { resolveFrom } = attempt.settings;
  const backendPackage = "@tensorflow/tfjs-backend-webgpu";
  const dawn = findPackage("webgpu", resolveFrom);
  const missing = [
    ...(dawn === null ? ["webgpu"] : []),
    ...(findPackage(backendPackage, resolveFrom) === null ? [backendPackage] : []),
  ];
  if (dawn === null || missing.length > 0) {
    throw new NotTriedError(
      "absent",
      `${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not installed`,
    );
  }
  if (instance === undefined) {
    const { found, remark } = await probeDawn(pathToFileURL(dawn).href, attempt);
    if (!found) throw new Error(noAdapter(remark));
    const { create, globals } = await attempt.during(importOptional<Dawn>("webgpu", resolveFrom));
    Object.assign(process.env, vulkanEnvironment());
    instance = { gpu: create([]), globals };
  }
  const { gpu, globals } = instance;
  defineGlobals(attempt, globals, gpu);
  return openWebgpu(attempt, gpu, () => importOptional(backendPackage, resolveFrom));
}

/** tfjs's package looks for them while it is imported, and later. */
function defineGlobals(attempt: Attempt, globals: Dawn["globals"], gpu: GPU): void {
  const define = (target: object, name: string, value: unknown) => {
    if (name in target) return;
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
    attempt.onClose(() => Reflect.deleteProperty(target, name));
  };
  for (const [name, value] of Object.entries(globals)) define(globalThis, name, value);
  // Node 20 has no navigator; later ones have one that takes new properties.
  define(globalThis, "navigator", {});
  define(globalThis.navigator, "gpu", gpu);
}

/** Why Dawn finds nothing, as far as can be told. */
function noAdapter(remark: string | null): string {
  const found = `Dawn found no GPU adapter${driversTried()}`;
  return remark === null ? found : `${found}: ${remark}`;
}

function driversTried(): string {
  if (process.platform !== "linux") return "";
  const named = process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES;
  if (named) return ` with the Vulkan driver ${named}`;
  const manifests = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"].flatMap((folder) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  });
  return manifests.length === 0
    ? ", and no Vulkan driver is installed"
    : ` that it can use with the Vulkan drivers installed (${manifests.join(", ")})`;
}
