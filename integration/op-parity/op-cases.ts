import { readFileSync } from "node:fs";
import type { Golden, OpCase } from "./op-parity.js";

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));

export const opCases: readonly OpCase[] = read("cases.json");
export const goldenResults: Readonly<Record<string, Golden>> = read("golden/op-parity.json").cases;
