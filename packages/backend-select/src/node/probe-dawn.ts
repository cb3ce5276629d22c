import { tmpdir } from "node:os";
import type { Attempt } from "../attempt.js";
import { askChild } from "./ask-child.js";

/** Whether Dawn finds an adapter, and what it prints about those that it cannot use. */
export interface DawnProbe {
  readonly found: boolean;
  /** Why not, as far as Dawn says. */
  readonly remark: string | null;
}

const program = `
  const { create } = await import(process.argv[1]);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  return { found: adapter !== null };
`;

/**
 * Looks for an adapter in a child process: drivers print what they like to stderr, and one that crashes would take the
 * process along.
 *
 * @param url Of the package `webgpu`.
 */
export async function probeDawn(url: string, attempt: Attempt): Promise<DawnProbe> {
  const asked = await attempt.during(
    askChild<{ found: boolean }>(program, [url], vulkanEnvironment(), attempt),
  );
  if (asked.value === null) throw new Error(`Dawn cannot be loaded: ${asked.reason}`);
  const warning = asked.errors.split("\n").find((line) => line.startsWith("Warning: "));
  return { found: asked.value.found, remark: warning?.slice("Warning: ".length) ?? null };
}

/** Without this folder, which is about windows, the Vulkan loader complains on stderr. */
export function vulkanEnvironment(): Readonly<Record<string, string>> {
  return { XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR || tmpdir() };
}
