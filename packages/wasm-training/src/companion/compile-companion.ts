import { binaries } from "./generated/binaries.js";

export type Binary = keyof typeof binaries.sizes;

export interface CompiledCompanion {
  readonly module: WebAssembly.Module;
  readonly binary: Binary;
}

const unpacked = new Map<Binary, Uint8Array<ArrayBuffer>>();

/** Inflates the binaries, before any of them is compiled. */
export async function unpackBinaries(): Promise<void> {
  if (unpacked.size > 0) return;
  const { pieces, sizes, packed } = binaries;
  const deflated = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const inflated = new Uint8Array(await new Response(stream).arrayBuffer());
  const each = Object.entries(sizes).map(([name, size]) => [name as Binary, new Uint8Array(size)] as const);
  // They stand there in pieces by turns.
  let at = 0;
  for (let i = 0; i < pieces; i++) {
    for (const [, bytes] of each) {
      const [begin, end] = [i, i + 1].map((n) => Math.floor((n * bytes.length) / pieces)) as [number, number];
      bytes.set(inflated.subarray(at, at + end - begin), begin);
      at += end - begin;
    }
  }
  for (const [name, bytes] of each) unpacked.set(name, bytes);
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
