import { NotTriedError } from "../attempt.js";
import type { WebgpuModule } from "../open-webgpu.js";

/*
 * Bundlers find these packages where they are installed. Where they are not, esbuild and webpack accept it
 * because of the `try`, Vite because the peers are optional.
 */

/** @throws {NotTriedError} where the package is not in the bundle. */
export async function importWebgpuBackend(): Promise<WebgpuModule> {
  try {
    return (await import("@tensorflow/tfjs-backend-webgpu")) as unknown as WebgpuModule;
  } catch (error) {
    throw notInstalled("@tensorflow/tfjs-backend-webgpu", error);
  }
}

/** @throws {NotTriedError} where the package is not in the bundle. */
export async function importWebglBackend(): Promise<unknown> {
  try {
    return await import("@tensorflow/tfjs-backend-webgl");
  } catch (error) {
    throw notInstalled("@tensorflow/tfjs-backend-webgl", error);
  }
}

const notInstalled = (name: string, cause: unknown) =>
  Object.assign(new NotTriedError("absent", `not installed: ${name}`), { cause });
