import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { expect, inject, test } from "vitest";
import { libraries, type PackageManifest, published, tarballOf } from "./packages.js";

const tarball = (manifest: PackageManifest) => tarballOf(manifest, inject("tarballs"));

for (const { manifest, folder } of published) {
  test(`the tarball of ${manifest.name} holds its build, README and licence, and nothing of the workspace`, () => {
    const file = tarball(manifest);
    const files = execFileSync("tar", ["-tzf", file], { encoding: "utf8" }).trim().split("\n");
    const inside = files.map((name) => name.replace(/^package\//, ""));
    expect(inside).toEqual(expect.arrayContaining(["package.json", "README.md", "LICENSE"]));
    expect(
      inside.filter((name) => !/^(package\.json|README\.md|LICENSE|NOTICE|dist\/.*)$/.test(name)),
    ).toEqual([]);
    const text = execFileSync("tar", ["-xzOf", file, "package/package.json"], { encoding: "utf8" });
    expect(text).not.toMatch(/workspace:|catalog:|gradlab-source/);
    const packed = JSON.parse(text) as PackageManifest & { license: string; engines: object };
    expect(packed).toMatchObject({ license: "Apache-2.0", engines: { node: ">=20.19" } });
    for (const [peer, range] of Object.entries(packed.peerDependencies ?? {})) {
      if (peer.startsWith("@tensorflow/")) expect([peer, range]).toEqual([peer, "4.22.0"]);
    }
    // What lies open in the workspace must be what is published, without the entry for the sources.
    const own = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as PackageManifest;
    const open = Object.entries(own.exports ?? {}).map(([path, target]) => {
      if (typeof target !== "object" || target === null) return [path, target];
      const { "gradlab-source": _source, ...rest } = target as Record<string, unknown>;
      return [path, rest];
    });
    expect(packed.exports).toEqual(Object.fromEntries(open));
  });

  test(`publint finds nothing in ${manifest.name}`, async () => {
    const data = readFileSync(tarball(manifest));
    const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer;
    const { messages, pkg } = await publint({ pack: { tarball: buffer }, level: "suggestion", strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });
}

for (const { manifest } of libraries) {
  test(`types of ${manifest.name} resolve for every ESM consumer`, async () => {
    const result = await checkPackage(
      createPackageFromTarballData(new Uint8Array(readFileSync(tarball(manifest)))),
    );
    if (!result.types) throw new Error("the package has no types");
    // ESM only: resolution from CommonJS and by Node 10 is not promised.
    const promised = result.problems.filter(
      (problem) =>
        !("resolutionKind" in problem) || !["node10", "node16-cjs"].includes(problem.resolutionKind),
    );
    expect(promised).toEqual([]);
  });
}
