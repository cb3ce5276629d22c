import { readFileSync } from "node:fs";
import { platform as browser } from "../src/browser/platform.js";
import { type CandidateName, candidateNames } from "../src/candidate.js";
import { platform as node } from "../src/node/platform.js";

const needs: Readonly<
  Record<CandidateName, { readonly packages: readonly string[]; readonly machine: string }>
> = {
  "tfjs-node-gpu": {
    packages: ["@tensorflow/tfjs-node-gpu"],
    machine: "NVIDIA GPU, CUDA 11.2, cuDNN 8.1; Linux or Windows on x64",
  },
  webgpu: {
    packages: ["@tensorflow/tfjs-backend-webgpu", "webgpu"],
    machine: "GPU with a Vulkan, Metal or D3D12 driver; browsers bring their own `webgpu`",
  },
  "tfjs-node": {
    packages: ["@tensorflow/tfjs-node"],
    machine: "TensorFlow's native library for the CPU, or tfjs-node-gpu's where it finds no CUDA",
  },
  webgl: { packages: ["@tensorflow/tfjs-backend-webgl"], machine: "GPU, textures of 32-bit floats" },
  wasm: {
    packages: ["@tensorflow/tfjs-backend-wasm"],
    machine: "any; in a page, the path of the `.wasm` files",
  },
  cpu: { packages: ["@tensorflow/tfjs-backend-cpu"], machine: "any" },
};

interface Steps {
  readonly networks: readonly { readonly ofWasm: number }[];
}

/** The time of one training step of three networks in Node, as a multiple of wasm's: what `npm run bench tfjs-node` measured. */
function steps(name: CandidateName): string {
  const { networks } = JSON.parse(readFileSync(new URL("node-steps.json", import.meta.url), "utf8")) as Steps;
  if (name === "wasm") return networks.map(() => "1").join(", ");
  if (name === "tfjs-node") return networks.map(({ ofWasm }) => ofWasm.toFixed(2)).join(", ");
  return "";
}

/** The candidates with their ranks as the code has them, and their packages as the manifest has them. */
export function readmeTable(): string[][] {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const rank = ({ candidates }: typeof node, name: CandidateName) =>
    candidates.has(name) ? String([...candidates.keys()].indexOf(name) + 1) : "";
  const rows = candidateNames.map((name) => {
    const packages = needs[name].packages.map((wanted) => {
      if (!(wanted in manifest.peerDependencies)) throw new Error(`${wanted} is no peer`);
      return manifest.peerDependenciesMeta[wanted]?.optional ? `\`${wanted}\` (optional)` : `\`${wanted}\``;
    });
    return [
      `\`${name}\``,
      rank(node, name),
      rank(browser, name),
      packages.join(", "),
      needs[name].machine,
      steps(name),
    ];
  });
  return [["candidate", "rank in Node", "in browsers", "packages", "needs", "time of a step"], ...rows];
}
