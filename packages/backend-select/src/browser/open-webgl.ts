import type { MathBackendWebGL } from "@tensorflow/tfjs-backend-webgl";
import { backend, env } from "@tensorflow/tfjs-core";
import type { Attempt, OpenedBackend } from "../attempt.js";
import { keepRegistered } from "../backend-registry.js";
import { notBundled } from "./not-bundled.js";

/** How renderers on the processor call themselves. */
const emulators = /swiftshader|llvmpipe|software|basic render/i;

/** WebGL, if it computes in float32. */
export async function openWebgl(attempt: Attempt): Promise<OpenedBackend> {
  await attempt.during(import("@tensorflow/tfjs-backend-webgl").catch(notBundled("webgl")));
  keepRegistered("webgl");
  return { tfjsName: "webgl", inspect: () => inspect(attempt) };
}

function inspect(attempt: Attempt): void {
  const { gpgpu } = backend() as MathBackendWebGL;
  const { gl } = gpgpu;
  const named = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer: unknown = gl.getParameter(named === null ? gl.RENDERER : named.UNMASKED_RENDERER_WEBGL);
  attempt.device = typeof renderer === "string" && renderer !== "" ? renderer : null;
  attempt.software = attempt.device === null ? null : emulators.test(attempt.device);
  if (attempt.software && !attempt.settings.allowSoftwareGpu) {
    throw new Error(`${attempt.device} emulates a GPU on the processor (allowSoftwareGpu accepts it)`);
  }
  // Half precision loses the gradients: 1 + 1/2048 is 1 there.
  if (!env().getBool("WEBGL_RENDER_FLOAT32_ENABLED")) {
    throw new Error("it computes with 16 bits, too few for training (no float32 textures to render into)");
  }
  const { canvas } = gl;
  attempt.lost = new Promise((resolve) => {
    canvas.addEventListener("webglcontextlost", (event) => {
      const message = (event as WebGLContextEvent).statusMessage;
      resolve(
        new Error(`webgl: the context was lost${message ? ` (${message})` : ""}; select a backend again`),
      );
    });
  });
}
