import { cpuContext, runStudyCase, studyCases } from "./study-cases.js";

/** Runs every study in this worker, one after the other, and posts what came of each. */
async function runAll(): Promise<unknown[]> {
  const context = await cpuContext();
  const records: unknown[] = [];
  for (const one of studyCases) records.push(await runStudyCase(one, context, null));
  return records;
}

runAll().then(
  (records) => postMessage({ records }),
  (error: unknown) => postMessage({ error: error instanceof Error ? error.stack : String(error) }),
);
