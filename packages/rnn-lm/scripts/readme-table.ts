import { initLanguageModel } from "../src/index.js";
import "@tensorflow/tfjs-backend-cpu";
import { countParams, disposeParams } from "@gradlab/core";

/** The table of README.md: what each cell computes, and how many weights a model of the default size has. */
export function readmeTable(): string[][] {
  const formulas = {
    lstm: ["i f g o", "`c' = σ(f) c + σ(i) tanh(g)`, `h' = σ(o) tanh(c')`"],
    gru: ["r z n", "`h' = (1 - σ(z)) tanh(n + σ(r) hₙ) + σ(z) h`"],
    elman: ["one", "`h' = tanh(x W + b + h U)`"],
  } as const;
  const grouped = (value: number) => value.toLocaleString("en-US");
  return [
    ["`cell`", "blocks of columns, in order", "next state", "weights of it", "of the whole model"],
    ...(["lstm", "gru", "elman"] as const).map((cell) => {
      const params = initLanguageModel({ cell, vocabulary: 1000, embedding: 32, hidden: 64 }, { seed: 0 });
      const own = countParams({ layers: params.layers });
      const row = [`\`${cell}\``, ...formulas[cell], grouped(own), grouped(countParams(params))];
      disposeParams(params);
      return row;
    }),
  ];
}
