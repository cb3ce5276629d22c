import { readFileSync } from "node:fs";
import type { Golden, Known, OpCase } from "./op-parity.js";

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));

export const opCases: readonly OpCase[] = read("cases.json");
export const goldenResults: Readonly<Record<string, Golden>> = read("golden/op-parity.json").cases;
export const known: readonly Known[] = read("known.json");
