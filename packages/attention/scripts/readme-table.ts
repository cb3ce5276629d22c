import "@tensorflow/tfjs-backend-cpu";
import { normalTensor } from "@gradlab/core";
import { add, enableProdMode, reshape, type Tensor, type Tensor3D, tidy } from "@tensorflow/tfjs-core";
import {
  checkEquivariance,
  type EquivarianceReport,
  initMultiHeadAttention,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
  sinusoidalPositions,
} from "../src/index.js";

enableProdMode();

const [tokens, width, heads] = [5, 8, 2];
const params = initMultiHeadAttention({ width, heads });
const learned = normalTensor([tokens, width], { seed: 0, purpose: "positions" });

type Change = [name: string, added: Tensor | null, options: Partial<MultiHeadAttentionOptions>];

const changes: readonly Change[] = [
  ["nothing", null, {}],
  ["sinusoidal positions", sinusoidalPositions(tokens, width), {}],
  ["learned positions", learned, {}],
  ["rotary positions", null, { position: "rotary" }],
  ["ALiBi", null, { position: "alibi" }],
  ["a causal mask", null, { causal: true }],
  ["a window of one token to each side", null, { window: [1, 1] }],
];

/** Two digits of what is broken; what holds is noise, which no two machines share. */
const shown = ({ holds, held, elements, deviation }: EquivarianceReport) =>
  `${held} of ${elements}, ${holds ? "below 10⁻⁶" : deviation.toPrecision(2)}`;

const rows: string[][] = [];
for (const [name, added, options] of changes) {
  const f = (x: Tensor) =>
    tidy(() => {
      const one = reshape(added === null ? x : add(x, added), [1, tokens, width]) as Tensor3D;
      return reshape(multiHeadAttention(params, one, { heads, ...options }), [tokens, width]);
    });
  const [equivariant, pooled] = [
    await checkEquivariance(f, { tokens, width }),
    await checkEquivariance(f, { tokens, width, expected: "pooled" }),
  ];
  rows.push([name, shown(equivariant), shown(pooled)]);
}

/** The table of README.md: what commutes with permutations, and what breaks it. */
export function readmeTable(): string[][] {
  return [["added to attention", "`f(PX) = P f(X)`", "mean of `f(PX)` = mean of `f(X)`"], ...rows];
}
