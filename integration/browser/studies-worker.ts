import { runStudyCases } from "./study-cases.js";

/** Runs every study in this worker, one after the other, and posts what came of each. */
runStudyCases().then(
  (records) => postMessage({ records }),
  (error: unknown) => postMessage({ error: error instanceof Error ? error.stack : String(error) }),
);
