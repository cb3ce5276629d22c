import { expectAtLeast0, expectFraction, expectPositive, typeMismatch } from "../expect-argument.js";

/** An optimizer of tfjs-core as plain data; `learningRate` is at least 0. Defaults are filled in by `startTraining`. */
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
      /** Greater than 0; 1e-7 unless given. */
      readonly epsilon?: number;
    }
  | {
      readonly name: "adamax";
      readonly learningRate: number;
      /** In [0, 1); 0.9 unless given. */
      readonly beta1?: number;
      /** In [0, 1); 0.999 unless given. */
      readonly beta2?: number;
      /** Greater than 0; 1e-7 unless given. */
      readonly epsilon?: number;
      /** The learning rate is divided by `1 + decay · step`; at least 0; 0 unless given. */
      readonly decay?: number;
    }
  | {
      readonly name: "rmsprop";
      readonly learningRate: number;
      /** In [0, 1); 0.9 unless given. */
      readonly decay?: number;
      /** In [0, 1]; 0 unless given. */
      readonly momentum?: number;
      /** Greater than 0; 1e-7 unless given. */
      readonly epsilon?: number;
      /** False unless given. */
      readonly centered?: boolean;
    }
  | {
      readonly name: "adagrad";
      readonly learningRate: number;
      /** At least 0; 0.1 unless given. */
      readonly initialAccumulator?: number;
    }
  | {
      readonly name: "adadelta";
      readonly learningRate: number;
      /** In [0, 1); 0.95 unless given. */
      readonly rho?: number;
      /** Greater than 0; 1e-7 unless given. */
      readonly epsilon?: number;
    };

/** A configuration with all of its options. */
export type FullOptimizerConfig = {
  [Name in OptimizerConfig["name"]]: Required<Extract<OptimizerConfig, { readonly name: Name }>>;
}[OptimizerConfig["name"]];

// Written out, because tfjs-core's own default of epsilon depends on the backend.
const EPSILON = 1e-7;

const DEFAULTS: { readonly [Name in OptimizerConfig["name"]]: Readonly<Record<string, number | boolean>> } = {
  sgd: {},
  momentum: { momentum: 0.9, nesterov: false },
  adam: { beta1: 0.9, beta2: 0.999, epsilon: EPSILON },
  adamax: { beta1: 0.9, beta2: 0.999, epsilon: EPSILON, decay: 0 },
  rmsprop: { decay: 0.9, momentum: 0, epsilon: EPSILON, centered: false },
  adagrad: { initialAccumulator: 0.1 },
  adadelta: { rho: 0.95, epsilon: EPSILON },
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
  for (const [key, value] of Object.entries(full)) check(`${where}: ${key}`, name, key, value);
  return { name, ...full } as FullOptimizerConfig;
}

function check(where: string, name: string, key: string, value: unknown): void {
  if (key === "nesterov" || key === "centered") {
    if (typeof value !== "boolean") throw typeMismatch(where, "true or false", value);
  } else if (key === "momentum") expectFraction(where, value, true);
  else if (key === "beta1" || key === "beta2" || key === "rho") expectFraction(where, value);
  else if (key === "decay" && name === "rmsprop") expectFraction(where, value);
  else if (key === "epsilon") expectPositive(where, value);
  else expectAtLeast0(where, value);
}
