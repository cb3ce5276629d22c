import type { Attempt } from "../attempt.js";
import { openCpu } from "../open-cpu.js";
import { openWasm } from "../open-wasm.js";
import { openWebgpu } from "../open-webgpu.js";
import type { Platform } from "../platform.js";
import { advise } from "./advise.js";
import { openWebgl } from "./open-webgl.js";
import { importWebglBackend, importWebgpuBackend } from "./optional-backends.js";

export const platform: Platform = {
  candidates: new Map([
    ["webgpu", (attempt: Attempt) => openWebgpu(attempt, importWebgpuBackend)],
    [
      "webgl",
      async (attempt: Attempt) => {
        await openCpu(attempt);
        return openWebgl(attempt, importWebglBackend);
      },
    ],
    ["wasm", openWasm],
    ["cpu", openCpu],
  ]),
  missing: "exists in Node only",
  advise,
};
