import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { published, tarballOf } from "./packages.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of the tarballs. */
    readonly tarballs: string;
    /** A plain project with all tarballs installed. */
    readonly consumer: string;
  }
}

/** Packs every package and installs the tarballs into an empty project with npm, as users do. */
export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "gradlab-packed-"));
  const tarballs = join(folder, "tarballs");
  const consumer = join(folder, "consumer");
  mkdirSync(tarballs);
  mkdirSync(consumer);
  for (const { folder: source } of published) {
    execFileSync("pnpm", ["pack", "--pack-destination", tarballs], {
      cwd: source,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  const files = Object.fromEntries(
    published.map(({ manifest }) => [manifest.name, `file:${tarballOf(manifest, tarballs)}`]),
  );
  // What the examples and the tests use beside the packages.
  const beside = {
    "@tensorflow/tfjs": "4.22.0",
    "@tensorflow/tfjs-backend-cpu": "4.22.0",
    "@tensorflow/tfjs-backend-webgl": "4.22.0",
    "@tensorflow/tfjs-backend-webgpu": "4.22.0",
    "@types/jsdom": "^21.1.7",
    "@types/node": "^20.19.0",
  };
  writeFileSync(
    join(consumer, "package.json"),
    // The overrides stand for the registry, where versions of one release find each other.
    JSON.stringify({
      name: "consumer",
      private: true,
      type: "module",
      dependencies: files,
      overrides: files,
      devDependencies: beside,
    }),
  );
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], {
    cwd: consumer,
    stdio: ["ignore", "ignore", "inherit"],
  });
  project.provide("tarballs", tarballs);
  project.provide("consumer", consumer);
  return () => rmSync(folder, { recursive: true, force: true });
}
