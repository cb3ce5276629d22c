import { wasmMode } from "../training/wasm-mode.js";
import "@tensorflow/tfjs-backend-cpu";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  env,
  grad,
  setBackend,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tidy,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { kinks } from "../geometry/kinks.js";

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  installGradients();
  repairKernels("cpu");
  await enableWasmTraining(wasmMode());
});

for (const backend of ["cpu", "wasm"]) {
  for (const { what, at, f, slopes } of kinks) {
    test(`${backend}: the slope of ${what} at ${at} is the one that is listed`, async () => {
      await setBackend(backend);
      const gradient = tidy(() => grad((x) => sum(f(x as Tensor1D)) as Tensor)(tensor1d([...at])));
      const got = [...(await gradient.data())];
      gradient.dispose();
      for (const [i, slope] of slopes.entries()) expect(got[i], `${got}`).toBeCloseTo(slope, 6);
    });
  }
}
