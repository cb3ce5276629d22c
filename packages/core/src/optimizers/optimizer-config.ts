import { typeMismatch } from "../expect-argument.js";
import { expectAtLeast0, expectFraction, expectPositive } from "../expect-values.js";

/** An optimizer as plain data; `learningRate` is at least 0. The other defaults are PyTorch's. */
export type OptimizerConfig =
  | { readonly name: "sgd"; readonly learningRate: number }
  | {
      readonly name: "momentum";
      readonly learningRate: number;
      /** In [0, 1]; 0.9 unless given. */
      readonly momentum?: number;
      /** False unless given. */
      readonly nesterov?: boolean;
    }
  | {
      readonly name: "adam";
      readonly learningRate: number;
      /** In [0, 1); 0.9 unless given. */
      readonly beta1?: number;
      /** In [0, 1); 0.999 unless given. */
      readonly beta2?: number;
      /** Greater than 0; 1e-8 unless given. */
      readonly epsilon?: number;
    }
  | {
      readonly name: "adamw";
      readonly learningRate: number;
      /** In [0, 1); 0.9 unless given. */
      readonly beta1?: number;
      /** In [0, 1); 0.999 unless given. */
      readonly beta2?: number;
      /** Greater than 0; 1e-8 unless given. */
      readonly epsilon?: number;
      /** Decoupled: each weight becomes `(1 - learningRate · weightDecay)` of itself first. At least 0; 0.01 unless given. */
      readonly weightDecay?: number;
    }
  | {
      readonly name: "adamax";
      readonly learningRate: number;
      /** In [0, 1); 0.9 unless given. */
      readonly beta1?: number;
      /** In [0, 1); 0.999 unless given. */
      readonly beta2?: number;
      /** Greater than 0; 1e-8 unless given. */
      readonly epsilon?: number;
    }
  | {
      readonly name: "rmsprop";
      readonly learningRate: number;
      /** How much of the mean square stays, in [0, 1); 0.99 unless given. (PyTorch's alpha.) */
      readonly decay?: number;
      /** In [0, 1]; 0 unless given. */
      readonly momentum?: number;
      /** Greater than 0; 1e-8 unless given. */
      readonly epsilon?: number;
      /** Divide by the standard deviation of the gradients instead of their mean square's root; false unless given. */
      readonly centered?: boolean;
    }
  | {
      readonly name: "adagrad";
      readonly learningRate: number;
      /** At least 0; 0 unless given. */
      readonly initialAccumulator?: number;
      /** Greater than 0; 1e-10 unless given. */
      readonly epsilon?: number;
    }
  | {
      readonly name: "adadelta";
      readonly learningRate: number;
      /** In [0, 1); 0.9 unless given. */
      readonly rho?: number;
      /** Greater than 0; 1e-6 unless given. */
      readonly epsilon?: number;
    };

/** A configuration with all of its options. */
export type FullOptimizerConfig = {
  [Name in OptimizerConfig["name"]]: Required<Extract<OptimizerConfig, { readonly name: Name }>>;
}[OptimizerConfig["name"]];

/** The configuration of one optimizer, with all of its options. */
export type ConfigOf<Name extends OptimizerConfig["name"]> = Extract<
  FullOptimizerConfig,
  { readonly name: Name }
>;

const moments = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

const DEFAULTS: { readonly [Name in OptimizerConfig["name"]]: Readonly<Record<string, number | boolean>> } = {
  sgd: {},
  momentum: { momentum: 0.9, nesterov: false },
  adam: moments,
  adamw: { ...moments, weightDecay: 0.01 },
  adamax: moments,
  rmsprop: { decay: 0.99, momentum: 0, epsilon: 1e-8, centered: false },
  adagrad: { initialAccumulator: 0, epsilon: 1e-10 },
  adadelta: { rho: 0.9, epsilon: 1e-6 },
};

/** The configuration with its defaults filled in and every option checked; unknown options are refused. */
export function fullConfig(where: string, config: unknown): FullOptimizerConfig {
  if (typeof config !== "object" || config === null) {
    throw typeMismatch(where, "{name, learningRate, …}", config);
  }
  const { name, ...given } = config as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || !Object.hasOwn(DEFAULTS, name)) {
    throw new RangeError(
      `${where}: name: expected one of ${Object.keys(DEFAULTS).join(", ")}, got ${JSON.stringify(name)}`,
    );
  }
  const defaults = DEFAULTS[name as OptimizerConfig["name"]];
  const full: Record<string, unknown> = { learningRate: undefined, ...defaults };
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(full, key)) {
      throw new RangeError(
        `${where}: expected the options ${Object.keys(full).join(", ")} for ${name}, got ${JSON.stringify(key)}`,
      );
    }
    if (value !== undefined) full[key] = value;
  }
  for (const [key, value] of Object.entries(full)) check(`${where}: ${key}`, key, value);
  return { name, ...full } as FullOptimizerConfig;
}

function check(where: string, key: string, value: unknown): void {
  if (key === "nesterov" || key === "centered") {
    if (typeof value !== "boolean") throw typeMismatch(where, "true or false", value);
  } else if (key === "momentum") expectFraction(where, value, true);
  else if (key === "beta1" || key === "beta2" || key === "rho" || key === "decay")
    expectFraction(where, value);
  else if (key === "epsilon") expectPositive(where, value);
  else expectAtLeast0(where, value);
}
