/** The page of `geometry.test.ts`: offers a function that surveys random shapes of an op on WebGL or on wasm. */
import "@tensorflow/tfjs-backend-webgl";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { type EnableWasmTrainingOptions, enableWasmTraining } from "@gradlab/wasm-training";
import { env, setBackend } from "@tensorflow/tfjs-core";
import { geometryOps } from "../geometry/ops.js";
import type { SurveyRow } from "../geometry/survey.js";
import { surveyBackend } from "../geometry/survey-backend.js";

/** What the page offers. */
export interface GeometryPage {
  /** Selects WebGL, and gives the names of the ops. */
  openWebgl(): Promise<string[]>;
  /** Selects wasm, and says beside the names what computes. */
  openWasm(
    options: EnableWasmTrainingOptions,
  ): Promise<{ names: string[]; threads: number; binary: string | null }>;
  surveyWebgl(op: string, runs: number): Promise<SurveyRow[]>;
  /** Second derivatives too, where they are checked. */
  surveyWasm(op: string, runs: number): Promise<SurveyRow[]>;
}

const names = geometryOps.map(({ name }) => name);

async function open(backend: string): Promise<void> {
  env().set("PROD", true); // no advertisement on the console
  if (!(await setBackend(backend))) throw new Error(`setBackend: ${backend} was refused`);
  installGradients();
}

const page: GeometryPage = {
  async openWebgl() {
    env().set("WEBGL_CPU_FORWARD", false);
    await open("webgl");
    repairKernels("webgl");
    return names;
  },
  async openWasm(options) {
    const { threads, binary } = await enableWasmTraining({ wasmPaths: "/wasm/", ...options });
    await open("wasm");
    return { names, threads, binary };
  },
  surveyWebgl: (op, runs) => surveyBackend("webgl", runs, { only: [op] }),
  surveyWasm: (op, runs) =>
    surveyBackend("wasm", runs, { only: [op], modes: ["value", "gradient", "second"] }),
};

Object.assign(globalThis, page);
