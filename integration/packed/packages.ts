import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const workspace = join(import.meta.dirname, "../..");

export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

export interface PublishedPackage {
  readonly folder: string;
  readonly manifest: PackageManifest;
}

/** The packages that a release publishes, libraries before the command. */
export const published: readonly PublishedPackage[] = ["packages", "apps"].flatMap((parent) =>
  readdirSync(join(workspace, parent))
    .map((name) => join(workspace, parent, name))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({
      folder,
      manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageManifest,
    }))
    .filter(({ manifest }) => !manifest.private),
);

export const libraries = published.filter(({ manifest }) => manifest.name.startsWith("@gradlab/"));

/** The tarball that `pnpm pack` makes of a package. */
export function tarballOf({ name, version }: PackageManifest, folder: string): string {
  return join(folder, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
}
