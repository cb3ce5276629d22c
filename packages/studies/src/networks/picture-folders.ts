import { type Dataset, datasetFromPixels } from "@gradlab/datasets";
import type { InputFiles, Picture } from "../declaration/option.js";
import { messageOf, StudyError } from "../declaration/study-error.js";

/** Pictures by class, and what was left out. */
export interface PictureSets {
  readonly train: Dataset;
  readonly validation: Dataset | null;
  readonly test: Dataset | null;
  readonly labels: readonly string[];
  readonly warnings: readonly string[];
}

/** The names under which parts of a data set stand. */
const partNames = {
  train: /^train(ing)?$/i,
  validation: /^(val|valid|validation|dev)$/i,
  test: /^test(ing)?$/i,
} as const;

type Part = keyof typeof partNames;

/** The share of pictures that may be broken. */
const mostBroken = 0.01;

/**
 * A folder of pictures for each class, at once or in folders `train`, `val` and `test`; null where there are no two
 * classes.
 */
export async function pictureFolders(
  files: InputFiles,
  size: readonly [height: number, width: number],
): Promise<PictureSets | null> {
  const parts = partsOf(files);
  const found = classFolders(files, parts.train === undefined ? "" : `${parts.train}/`);
  if (found.classes.length < 2) return null;
  const labels = found.classes.map(({ name }) => name);
  const read = new PictureReader(files, labels, size);
  read.leftOut(found);
  const train = await read.set(found.classes);
  const part = async (name: Part) => {
    const folder = parts.train === undefined ? undefined : parts[name];
    if (folder === undefined) return null;
    const held = classFolders(files, `${folder}/`);
    const strange = held.classes.find((one) => !labels.includes(one.name));
    if (strange !== undefined) {
      const where = `${files.label}/${folder}/${strange.name}`;
      throw new StudyError(
        "input",
        `${where}: expected a class of the training images (${labels.slice(0, 6).join(", ")}${labels.length > 6 ? ", …" : ""})`,
      );
    }
    read.leftOut(held);
    if (held.classes.length === 0) return null;
    return read.set(held.classes);
  };
  const validation = await part("validation");
  const test = await part("test");
  return { train, validation, test, labels, warnings: read.finish() };
}

/** The folders of a data set that is split, as they are called here. */
function partsOf(files: InputFiles): Partial<Record<Part, string>> {
  const tops = [...new Set(files.names.flatMap((name) => (name.includes("/") ? [name.split("/")[0]!] : [])))];
  const parts: Partial<Record<Part, string>> = {};
  for (const part of ["train", "validation", "test"] as const) {
    const found = tops.find((name) => partNames[part].test(name));
    // A class may be called "test": of parts there are folders in folders.
    if (
      found !== undefined &&
      files.names.some((name) => name.startsWith(`${found}/`) && inFolders(name) >= 2)
    )
      parts[part] = found;
  }
  return parts;
}

const inFolders = (name: string) => name.split("/").length - 1;

const isPicture = (name: string) => /\.(jpe?g|png|webp|gif|tiff?|avif)$/i.test(name);

interface ClassFolder {
  readonly name: string;
  readonly pictures: readonly string[];
}

interface Found {
  /** The folders with pictures in a folder, by name. */
  readonly classes: readonly ClassFolder[];
  /** Those without. */
  readonly empty: readonly string[];
  /** Pictures that stand in no class, or in a folder of one. */
  readonly astray: readonly string[];
}

function classFolders({ names, emptyFolders = [] }: InputFiles, within: string): Found {
  const classes = new Map<string, string[]>();
  const astray: string[] = [];
  for (const name of [...names, ...emptyFolders.map((folder) => `${folder}/`)]) {
    if (!name.startsWith(within)) continue;
    const [folder, file, ...deeper] = name.slice(within.length).split("/");
    if (file === undefined || deeper.length > 0) {
      if (isPicture(name)) astray.push(name);
      if (file === undefined) continue;
    }
    const known = classes.get(folder!) ?? [];
    classes.set(folder!, known);
    if (deeper.length === 0 && isPicture(file!)) known.push(name);
  }
  const all = [...classes].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    classes: all.flatMap(([name, pictures]) =>
      pictures.length === 0 ? [] : [{ name, pictures: pictures.sort() }],
    ),
    empty: all.flatMap(([name, pictures]) => (pictures.length === 0 ? [`${within}${name}`] : [])),
    astray,
  };
}

/** Reads pictures, a few of which may be broken. */
class PictureReader {
  private readonly files: InputFiles;
  private readonly labels: readonly string[];
  private readonly size: readonly [number, number];
  private readonly broken: string[] = [];
  private readonly warnings: string[] = [];
  private count = 0;

  constructor(files: InputFiles, labels: readonly string[], size: readonly [number, number]) {
    this.files = files;
    this.labels = labels;
    this.size = size;
  }

  leftOut({ empty, astray }: Found): void {
    const { label } = this.files;
    if (empty.length > 0) this.warnings.push(`${label}: no picture in ${some(empty)}, which are no classes`);
    if (astray.length > 0) {
      this.warnings.push(
        `${label}: ${astray.length} pictures stand in no folder of a class: ${some(astray)}`,
      );
    }
  }

  async set(classes: readonly ClassFolder[]): Promise<Dataset> {
    const pixels: Picture[] = [];
    const label: number[] = [];
    const total = classes.reduce((sum, { pictures }) => sum + pictures.length, 0);
    const before = this.broken.length;
    for (const { name, pictures } of classes) {
      for (const file of pictures) {
        try {
          pixels.push(await this.files.decode(file, { size: this.size }));
          label.push(this.labels.indexOf(name));
        } catch (error) {
          this.broken.push(messageOf(error));
          this.expectFew(this.broken.length - before, total);
        }
      }
    }
    this.count += total;
    return datasetFromPixels(pixels, label, { channels: 3, classes: this.labels.length });
  }

  private expectFew(broken: number, total: number): void {
    if (broken <= mostBroken * total) return;
    const allowed = Math.floor(mostBroken * total);
    throw new StudyError(
      "input",
      `${this.broken.slice(-3).join("; ")} (of ${total} pictures ${allowed === 0 ? "none" : `${allowed}`} may be broken)`,
    );
  }

  finish(): string[] {
    const { broken, warnings } = this;
    if (broken.length === 0) return warnings;
    return [...warnings, `${broken.length} of ${this.count} pictures are left out: ${some(broken)}`];
  }
}

function some(names: readonly string[]): string {
  return names.length > 6 ? `${names.slice(0, 6).join(", ")}, … (${names.length} in all)` : names.join(", ");
}
