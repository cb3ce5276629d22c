import { wasmMode } from "../training/wasm-mode.js";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { env } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { clock, type Heard, hearAbort } from "../training/hear-abort.js";

beforeAll(async () => {
  env().set("PROD", true);
  await enableWasmTraining(wasmMode());
});

const arms: Readonly<Record<string, (abort: (due: number) => void) => void>> = {
  timer: (abort) => {
    const due = clock() + 100;
    setTimeout(() => abort(due), 100);
  },
  message: (abort) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => {
      abort(data);
      port1.close();
    };
    setTimeout(() => port2.postMessage(clock()), 50);
  },
};
for (const backend of ["cpu", "wasm"]) {
  for (const [name, arm] of Object.entries(arms)) {
    test(`an abort by a ${name} is heard within 50 ms and a step on ${backend}, whose steps are done at once`, async () => {
      const heard: Heard[] = [];
      for (let i = 0; i < 5; i++) heard.push(await hearAbort(backend, arm));
      // The third of five, so that one turn of the machine to something else does not count.
      const late = heard.map(({ late, longest }) => late - longest).sort((a, b) => a - b);
      expect(late[2]).toBeLessThan(50);
      expect(Math.max(...heard.map(({ steps }) => steps))).toBeGreaterThan(1);
    }, 60_000);
  }
}
