import { engine, env } from "@tensorflow/tfjs-core";
import type { Attempt, OpenedBackend } from "../attempt.js";
import { isRegistered, keepRegistered, removeQuietly } from "../backend-registry.js";
import { guardOf, guardReads, type ReadGuard } from "../guard-reads.js";
import { repairKernels } from "../repair-kernels.js";
import { isSoftwareRenderer } from "../software-gpu.js";
import { addDilationGradients } from "./add-dilation-gradients.js";

/** The parts of a WebGL context that are used here. */
interface WebglContext {
  readonly canvas: EventTarget;
  isContextLost(): boolean;
  getExtension(name: "WEBGL_debug_renderer_info"): { readonly UNMASKED_RENDERER_WEBGL: number } | null;
  getParameter(name: number): unknown;
  readonly RENDERER: number;
}

interface WebglBackend {
  readonly gpgpu: {
    readonly gl: WebglContext;
    /** Fences of reads under way; tfjs asks again and again while there are any. */
    itemsToPoll: unknown[];
  };
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
  if (hasLostContext(engine().registry.webgl as unknown as WebglBackend | undefined)) {
    // tfjs would set it again, broken as it is.
    removeQuietly("webgl");
    keepRegistered("webgl");
  }
  if (env().getNumber("WEBGL_VERSION") === 0) throw new Error("this browser gives no WebGL context");
  // Half floats hold neither gradients nor the moments of an optimizer.
  if (!env().getBool("WEBGL_RENDER_FLOAT32_CAPABLE")) {
    throw new Error("it renders to textures of 16 bits only, too few to train with");
  }
  addDilationGradients();
  repairKernels("webgl");
  return { tfjsName: "webgl", inspect: () => inspect(attempt) };
}

/** A context that the browser restored has lost its textures all the same. */
const hasLostContext = (backend: WebglBackend | undefined): boolean =>
  backend !== undefined && (guardOf(backend)?.failure != null || backend.gpgpu.gl.isContextLost());

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
  attempt.lost = guardContext(backend).lost;
}

/** tfjs does not notice that its context is lost: it reads zeros, and waits for fences that never pass. */
function guardContext(backend: WebglBackend): ReadGuard {
  const present = guardOf(backend);
  if (present !== undefined) return present;
  const { gpgpu } = backend;
  const reason = "the context was lost";
  const guard = guardReads(backend, "webgl", ({ fail }) => {
    // The event comes later than the loss.
    if (gpgpu.gl.isContextLost()) fail(reason);
  });
  gpgpu.gl.canvas.addEventListener("webglcontextlost", () => guard.fail(reason));
  guard.lost.then(() => (gpgpu.itemsToPoll = []));
  return guard;
}
