/** The page of `geometry.test.ts`: offers a function that surveys random shapes of an op on WebGL. */
import "@tensorflow/tfjs-backend-webgl";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { env, setBackend } from "@tensorflow/tfjs-core";
import { geometryOps } from "../geometry/ops.js";
import type { SurveyRow } from "../geometry/survey.js";
import { surveyBackend } from "../geometry/survey-backend.js";

/** What the page offers. */
export interface GeometryPage {
  open(): Promise<string[]>;
  surveyOp(op: string, runs: number): Promise<SurveyRow[]>;
}

async function open(): Promise<string[]> {
  env().set("PROD", true); // no advertisement on the console
  env().set("WEBGL_CPU_FORWARD", false);
  if (!(await setBackend("webgl"))) throw new Error("setBackend: webgl was refused");
  installGradients();
  repairKernels("webgl");
  return geometryOps.map(({ name }) => name);
}

const surveyOp = (op: string, runs: number) => surveyBackend("webgl", runs, [op]);

Object.assign(globalThis, { open, surveyOp } satisfies GeometryPage);
