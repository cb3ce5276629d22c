import type { Picture } from "@gradlab/figures";

export type { Picture };

/** Bounds of a number, where it has some. */
export interface Range {
  readonly least?: number;
  readonly above?: number;
  readonly most?: number;
  readonly below?: number;
}

interface Described {
  /** What it is, in a line. */
  readonly help: string;
  /** What stands for the value in help: `<y,x>`. */
  readonly placeholder?: string;
  /** Of numbers: `pixels`, `epochs`. */
  readonly unit?: string;
}

export interface NumberOption extends Described, Range {
  readonly kind: "integer" | "number";
  readonly default?: number;
}

/** Numbers separated by commas. */
export interface NumbersOption extends Described, Range {
  readonly kind: "integers" | "numbers";
  readonly default?: readonly number[];
}

export interface ChoiceOption extends Described {
  readonly kind: "choice";
  readonly choices: readonly string[];
  readonly default?: string;
}

/** Off unless given. */
export interface FlagOption extends Described {
  readonly kind: "flag";
}

export interface TextOption extends Described {
  readonly kind: "text";
  readonly default?: string;
  readonly required?: true;
}

/** Something of the user's own: a file (with what lies beside it), pictures, or a folder. */
export interface InputOption extends Described {
  readonly kind: "file" | "picture" | "pictures" | "folder";
  /** Stands in the command line without a flag. */
  readonly positional?: true;
  /** Such a one may be left out. */
  readonly optional?: true;
  /** Only figures show it. */
  readonly drawn?: true;
  /** A folder means this file in it. */
  readonly inFolder?: string;
  /** The word that says that nothing is given, the default. */
  readonly none?: string;
  /** A folder that need not be there yet: files that the study keeps go there. */
  readonly kept?: true;
}

export type Option = NumberOption | NumbersOption | ChoiceOption | FlagOption | TextOption | InputOption;

/** The options of a study by name, in the order in which they are shown. */
export type OptionTable = Readonly<Record<string, Option>>;

type Value<O extends Option> = O extends NumberOption
  ? number
  : O extends NumbersOption
    ? readonly number[]
    : O extends ChoiceOption
      ? O["choices"][number]
      : O extends FlagOption
        ? boolean
        : O extends TextOption
          ? string
          : never;

type IsThere = { readonly default: unknown } | { readonly kind: "flag" } | { readonly required: true };

type Simplified<T> = { readonly [K in keyof T]: T[K] };

/** The values that a table asks for; without a default a value may be missing. Files are apart: `InputsOf`. */
export type OptionsOf<T extends OptionTable> = Simplified<
  {
    [K in keyof T as T[K] extends InputOption ? never : T[K] extends IsThere ? K : never]: Value<T[K]>;
  } & {
    [K in keyof T as T[K] extends InputOption ? never : T[K] extends IsThere ? never : K]?: Value<T[K]>;
  }
>;

/** The files that a table asks for; any may be missing. */
export type InputsOf<T extends OptionTable> = Simplified<{
  [K in keyof T as T[K] extends InputOption ? K : never]?: InputFiles;
}>;

/** Files as a folder of Node and a browser's `FileList` both give them. */
export interface InputFiles {
  /** What messages call it: the path that was given. */
  readonly label: string;
  /** Paths that can be read, in the order in which they were given or sorted. */
  readonly names: readonly string[];
  /** Folders in a folder that hold no file, where the app sees such. */
  readonly emptyFolders?: readonly string[];
  /** The bytes of a file by its path; of a single file also what lies beside it. */
  readonly read: (name: string) => Promise<Uint8Array>;
  /** The bytes of a file piece by piece, where an app can read it so: files that are too large to be held. */
  readonly pieces?: (name: string) => AsyncIterable<Uint8Array>;
  /** The first bytes of a file, fewer where it has no more. */
  readonly start: (name: string, length: number) => Promise<Uint8Array>;
  /** A picture, decoded. */
  readonly decode: (name: string, options?: DecodeOptions) => Promise<Picture>;
}

export interface DecodeOptions {
  /** Scaled to cover this, then cut at the centre; as it is unless given. */
  readonly size?: readonly [height: number, width: number];
  /** No more pixels along a side: the same shape, smaller. */
  readonly most?: number;
  /** Also as a JPEG, to be shown. */
  readonly jpeg?: boolean;
}

export const isInput = (option: Option): option is InputOption =>
  option.kind === "file" ||
  option.kind === "picture" ||
  option.kind === "pictures" ||
  option.kind === "folder";

/** Of everything random; every command has the flag. */
export const seedOption = {
  kind: "integer",
  least: 0,
  default: 0,
  help: "seed of everything random",
} as const satisfies NumberOption;
