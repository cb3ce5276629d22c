import { NotTriedError } from "../attempt.js";

/** For the optional packages of a page: one that the bundler did not find cannot be imported. */
export function notBundled(name: "webgpu" | "webgl"): (error: unknown) => never {
  return (error) => {
    throw new NotTriedError(
      "absent",
      `@tensorflow/tfjs-backend-${name} is not part of this page (${error instanceof Error ? error.message : String(error)})`,
    );
  };
}
