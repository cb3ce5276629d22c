import { engine, env } from "@tensorflow/tfjs-core";
import type { Attempt, OpenedBackend } from "../attempt.js";
import { isRegistered, keepRegistered } from "../backend-registry.js";
import { guardReads } from "../guard-reads.js";
import { repairKernels } from "../repair-kernels.js";
import { isSoftwareRenderer } from "../software-gpu.js";
import { addDilationGradients } from "./add-dilation-gradients.js";

/** The parts of a WebGL context that are used here. */
interface WebglContext {
  isContextLost(): boolean;
  getExtension(name: "WEBGL_debug_renderer_info"): { readonly UNMASKED_RENDERER_WEBGL: number } | null;
  getParameter(name: number): unknown;
  readonly RENDERER: number;
}

interface WebglBackend {
  readonly gpgpu: { readonly gl: WebglContext };
  read(dataId: object): Promise<ArrayLike<number>>;
  readSync(dataId: object): ArrayLike<number>;
}

/**
 * Registers tfjs's WebGL backend, with the gradients of `dilation2d` that it lacks.
 *
 * @param load Imports tfjs's backend.
 */
export async function openWebgl(attempt: Attempt, load: () => Promise<unknown>): Promise<OpenedBackend> {
  await attempt.during(load());
  if (!isRegistered("webgl") && env().getNumber("WEBGL_VERSION") === 0) {
    throw new Error("this platform has no WebGL");
  }
  keepRegistered("webgl");
  if (env().getNumber("WEBGL_VERSION") === 0) throw new Error("this browser gives no WebGL context");
  // Half floats hold neither gradients nor the moments of an optimizer.
  if (!env().getBool("WEBGL_RENDER_FLOAT32_CAPABLE")) {
    throw new Error("it renders to textures of 16 bits only, too few to train with");
  }
  addDilationGradients();
  repairKernels("webgl");
  return { tfjsName: "webgl", inspect: () => inspect(attempt) };
}

function inspect(attempt: Attempt): void {
  if (!env().getBool("WEBGL_RENDER_FLOAT32_ENABLED")) {
    throw new Error("it is set to render to textures of 16 bits (WEBGL_RENDER_FLOAT32_ENABLED is false)");
  }
  const backend = engine().registry.webgl as unknown as WebglBackend;
  const { gl } = backend.gpgpu;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = gl.getParameter(info === null ? gl.RENDERER : info.UNMASKED_RENDERER_WEBGL);
  attempt.device = typeof renderer === "string" && renderer !== "" ? renderer : null;
  attempt.software = attempt.device === null ? null : isSoftwareRenderer(attempt.device);
  if (attempt.software && !attempt.settings.allowSoftwareGpu) {
    throw new Error("the GPU is emulated on the CPU (allowSoftwareGpu lets it pass)");
  }
  const guard = guardReads(backend, "webgl", ({ fail }) => {
    if (gl.isContextLost()) fail("the context was lost");
  });
  attempt.lost = guard.lost;
}
