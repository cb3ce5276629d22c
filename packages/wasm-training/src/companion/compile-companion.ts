import { binaries } from "./generated/binaries.js";

export type Binary = keyof typeof binaries;

export interface CompiledCompanion {
  readonly module: WebAssembly.Module;
  readonly binary: Binary;
}

const unpacked = new Map<Binary, Uint8Array<ArrayBuffer>>();

/** Inflates binaries, before any of them is compiled. */
export async function unpackBinaries(wanted: readonly Binary[]): Promise<void> {
  for (const binary of wanted) {
    if (unpacked.has(binary)) continue;
    const packed = Uint8Array.from(atob(binaries[binary]), (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    unpacked.set(binary, new Uint8Array(await new Response(stream).arrayBuffer()));
  }
}

/** `env.memory`, then its kind (a memory) and its limits, of which this is the flag "shared". */
const importedMemory = [3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2];

/** The binary imports a shared memory; a page that has none takes the same code with another flag. */
function forOwnMemory(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = bytes.findIndex((_, i) => importedMemory.every((byte, j) => bytes[i + j] === byte));
  const flag = at + importedMemory.length;
  if (at < 0 || bytes[flag] !== 3) throw new Error("wasm-training: the companion imports no shared memory");
  const copy = bytes.slice();
  copy[flag] = 1;
  return copy;
}

const compiled = new Map<string, CompiledCompanion | undefined>();

/**
 * The companion module for this engine: with relaxed SIMD (a multiplication and
 * an addition in one) where the engine has it, plain SIMD otherwise; undefined where it has neither.
 */
export function compileCompanion(
  memory: "own" | "shared",
  wanted: readonly Binary[] = ["relaxed", "plain"],
): CompiledCompanion | undefined {
  const key = [memory, ...wanted].join();
  if (!compiled.has(key)) compiled.set(key, compileFirst(memory, wanted));
  return compiled.get(key);
}

function compileFirst(memory: "own" | "shared", wanted: readonly Binary[]): CompiledCompanion | undefined {
  for (const binary of wanted) {
    const shared = unpacked.get(binary);
    if (shared === undefined) throw new Error(`wasm-training: the binary ${binary} is not unpacked yet`);
    const bytes = memory === "own" ? forOwnMemory(shared) : shared;
    if (WebAssembly.validate(bytes)) return { module: new WebAssembly.Module(bytes), binary };
  }
  return undefined;
}
