import { rangeMismatch, typeMismatch } from "../expect-argument.js";

/** One way on from a state: a token, and the state that it leads to. */
export interface GrammarStep {
  readonly token: string;
  readonly next: string;
  /** Against the weights of the other ways, greater than 0; 1 unless given. */
  readonly weight?: number;
}

/**
 * A source of text: states, and the tokens that lead from one to another. The tokens of a state differ, so whoever has
 * read the text from its start knows the state, and no reader can know more about the next token.
 */
export interface Grammar {
  readonly start: string;
  readonly states: Readonly<Record<string, readonly GrammarStep[]>>;
}

/** What is known of a source. */
export interface GrammarFacts {
  /** The mean surprise of the next token for a reader that knows the state, in nats: no model does better. */
  readonly entropyRate: number;
  /** `exp entropyRate`: the lowest perplexity that there is. */
  readonly perplexity: number;
  /** The tokens, sorted. */
  readonly tokens: readonly string[];
  /** How much of the time the source is in each state. */
  readonly occupancy: Readonly<Record<string, number>>;
}

interface Way {
  readonly token: string;
  readonly next: number;
  readonly probability: number;
}

/** A grammar with numbers for names. */
export interface CompiledGrammar {
  readonly names: readonly string[];
  readonly start: number;
  readonly ways: readonly (readonly Way[])[];
}

export function compileGrammar(where: string, grammar: Grammar): CompiledGrammar {
  if (typeof grammar?.states !== "object" || grammar.states === null) {
    throw typeMismatch(where, "{start, states}", grammar);
  }
  const names = Object.keys(grammar.states);
  const indexOf = (at: string, name: string) => {
    const index = names.indexOf(name);
    if (index < 0) throw rangeMismatch(at, `one of the states ${names.join(", ")}`, name);
    return index;
  };
  const ways = names.map((name) => {
    const steps = grammar.states[name]!;
    const at = `${where}: states.${name}`;
    if (steps.length === 0) throw rangeMismatch(at, "at least one way on", steps);
    const weights = steps.map(({ weight = 1 }) => weight);
    const bad = weights.find((weight) => !(weight > 0 && weight < Number.POSITIVE_INFINITY));
    if (bad !== undefined) throw rangeMismatch(at, "finite weights greater than 0", bad);
    const twice = steps.find(({ token }, i) => steps.findIndex((one) => one.token === token) < i);
    if (twice !== undefined) throw rangeMismatch(at, "every token once", twice.token);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return steps.map(({ token, next }, i) => ({
      token,
      next: indexOf(at, next),
      probability: weights[i]! / total,
    }));
  });
  const start = indexOf(`${where}: start`, grammar.start);
  const reached = new Set([start]);
  for (const state of reached) for (const { next } of ways[state]!) reached.add(next);
  for (const state of reached) {
    const back = new Set([state]);
    for (const one of back) for (const { next } of ways[one]!) back.add(next);
    if (back.has(start)) continue;
    throw rangeMismatch(
      `${where}: states.${names[state]}`,
      `a way back to ${names[start]}, so that there is one long run`,
      "none",
    );
  }
  return { names, start, ways };
}

/**
 * The entropy rate of a grammar, `Σ π(s) H(s)` over its states: π is how often each occurs in the long run, H the
 * entropy of what comes next.
 *
 * @throws {TypeError | RangeError} when the grammar is not as stated: a token twice in a state, a way to nowhere, a state
 *   that never leads back to the start.
 * @see Shannon 1948, §7, https://doi.org/10.1002/j.1538-7305.1948.tb01338.x
 */
export function grammarFacts(grammar: Grammar): GrammarFacts {
  const { names, start, ways } = compileGrammar("grammarFacts: grammar", grammar);
  const n = names.length;
  const transition = Array.from({ length: n }, () => new Float64Array(n));
  for (const [state, steps] of ways.entries()) {
    for (const { next, probability } of steps) transition[state]![next]! += probability;
  }
  const pi = stationary(transition, start);
  const entropy = (steps: readonly Way[]) =>
    steps.reduce((sum, { probability }) => sum - probability * Math.log(probability), 0);
  const entropyRate = ways.reduce((sum, steps, state) => sum + pi[state]! * entropy(steps), 0);
  const tokens = [...new Set(ways.flat().map(({ token }) => token))].sort();
  const occupancy = Object.fromEntries(names.map((name, state) => [name, pi[state]!]));
  return { entropyRate, perplexity: Math.exp(entropyRate), tokens, occupancy };
}

/**
 * How surprised a reader that knows the grammar is by each token of a text that begins at its start: `-log p`, in nats.
 * No model does better on a long text; on a short one by luck alone.
 *
 * @returns Infinity from a token on that the grammar cannot say there.
 * @throws {TypeError | RangeError} when the grammar is not as `grammarFacts` wants it.
 */
export function grammarSurprises(grammar: Grammar, tokens: readonly string[]): Float64Array {
  const { start, ways } = compileGrammar("grammarSurprises: grammar", grammar);
  let state: number | null = start;
  return Float64Array.from(tokens, (token) => {
    const way: Way | undefined = state === null ? undefined : ways[state]!.find((one) => one.token === token);
    state = way?.next ?? null;
    return way === undefined ? Number.POSITIVE_INFINITY : -Math.log(way.probability);
  });
}

/**
 * How often each state occurs: the visits between two of the start, which are `v = e + v Q` with `Q` the transitions
 * that do not end in the start, by Gaussian elimination. Right for periodic sources too.
 */
function stationary(transition: readonly Float64Array[], start: number): Float64Array {
  const n = transition.length;
  // (I - Qᵀ) v = e
  const rows = Array.from({ length: n }, (_, i) => {
    const row = new Float64Array(n + 1);
    for (let j = 0; j < n; j++) row[j] = (i === j ? 1 : 0) - (i === start ? 0 : transition[j]![i]!);
    row[n] = i === start ? 1 : 0;
    return row;
  });
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column; i < n; i++) {
      if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let i = 0; i < n; i++) {
      const factor = rows[i]![column]! / rows[column]![column]!;
      if (i === column || factor === 0) continue;
      for (let j = column; j <= n; j++) rows[i]![j]! -= factor * rows[column]![j]!;
    }
  }
  const visits = Float64Array.from(rows, (row, i) => row[n]! / row[i]!);
  const total = visits.reduce((sum, one) => sum + one, 0);
  return visits.map((one) => one / total);
}
