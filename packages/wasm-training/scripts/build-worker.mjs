/** Writes what a worker of a page runs into a file of its own, `dist/worker.js`, for pages whose policy forbids blobs. */
import { writeFileSync } from "node:fs";
import { pageWorkerSource } from "../dist/companion/worker-source.js";

const dist = new URL("../dist/", import.meta.url);
writeFileSync(new URL("worker.js", dist), pageWorkerSource.trimStart());
// It is a script for a worker: nothing can be imported from it.
writeFileSync(new URL("worker.d.ts", dist), "export {};\n");
