/**
 * Compiles the companion module (`assembly/`, AssemblyScript) twice, with relaxed SIMD and without, and writes both
 * into `src/companion/generated/binaries.ts`, which is not under version control.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

const folder = fileURLToPath(new URL("..", import.meta.url));
const compiler = fileURLToPath(import.meta.resolve("assemblyscript/bin/asc.js"));

function compile(features) {
  const out = mkdtempSync(join(tmpdir(), "gradlab-companion-"));
  try {
    const file = join(out, "companion.wasm");
    // No data, no stack and no allocator of its own: the memory is that of tfjs.
    const options = [
      "--runtime",
      "stub",
      // As fast as without the shrinking, and smaller.
      "-O3",
      "--shrinkLevel",
      "1",
      "--noAssert",
      "--enable",
      features,
      "--importMemory",
      "--sharedMemory",
      // Of functions that pass vectors between files; none of them leaves the module.
      "--disableWarning",
      "112",
    ];
    const limits = ["--initialMemory", "1", "--maximumMemory", "65536"];
    const args = [compiler, "assembly/index.ts", "--outFile", file, ...options, ...limits];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
    if (status !== 0 || stderr.includes("WARNING")) {
      throw new Error(`build-companion: asc --enable ${features}:\n${stdout}${stderr}`);
    }
    return readFileSync(file);
  } finally {
    rmSync(out, { recursive: true });
  }
}

/**
 * In pieces by turns, so that each piece of the second stands near that of the first, which it repeats for the most part;
 * deflated, because base64 does not shrink well on its way to users.
 */
function pack(binaries) {
  const turns = Array.from({ length: PIECES }, (_, i) =>
    binaries.map((bytes) => {
      const [begin, end] = [i, i + 1].map((n) => Math.floor((n * bytes.length) / PIECES));
      return bytes.subarray(begin, end);
    }),
  );
  return deflateRawSync(Buffer.concat(turns.flat()), { level: 9 }).toString("base64");
}

const PIECES = 8;
const relaxed = compile("simd,threads,relaxed-simd");
const plain = compile("simd,threads");
const target = join(folder, "src/companion/generated/binaries.ts");
mkdirSync(join(target, ".."), { recursive: true });
writeFileSync(
  target,
  `/** Written by scripts/build-companion.mjs: the companion module, compiled, by turns, deflated, in base64. */
export const binaries = {
  pieces: ${PIECES},
  /** Bytes of each. */
  sizes: { relaxed: ${relaxed.length}, plain: ${plain.length} },
  packed: "${pack([relaxed, plain])}",
} as const;
`,
);
