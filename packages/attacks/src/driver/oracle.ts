import { installGradients } from "@gradlab/core";
import {
  concat,
  dispose,
  engine,
  keep,
  mean,
  reshape,
  type Scalar,
  slice,
  sum,
  Tensor,
  type Tensor2D,
  tensor,
  tensor1d,
  tidy,
  zerosLike,
} from "@tensorflow/tfjs-core";
import {
  type BlackBox,
  type BlackBoxAnswer,
  type Classifier,
  isBlackBox,
  type Row,
  type Target,
} from "../classifier.js";
import type { Loss } from "../losses/loss.js";

/** A question with all that goes with it. */
export interface Asked {
  readonly x: Float32Array;
  readonly row: Row;
  readonly loss: Loss | null;
  readonly label: number;
  readonly target: number;
}

/** What came of a batch: rows one after the other. */
export interface Answered {
  readonly logits: Float32Array;
  readonly losses: Float32Array | null;
  readonly gradients: Float32Array | null;
}

/** Answers batches of questions, all of them with a loss or all without one. */
export interface Oracle {
  readonly gives: "gradients" | "scores" | "decisions";
  readonly ask: (asked: readonly Asked[], withGradients: boolean) => Promise<Answered>;
}

/**
 * @param shape Of one image.
 */
export function oracleOf(caller: string, target: Target, shape: readonly number[]): Oracle {
  if (isBlackBox(target)) return blackBoxOracle(caller, target, shape);
  installGradients();
  return {
    gives: "gradients",
    ask: (asked, withGradients) =>
      withGradients ? differentiate(caller, target, asked, shape) : logitsOf(caller, target, asked, shape),
  };
}

async function logitsOf(
  caller: string,
  classifier: Classifier,
  asked: readonly Asked[],
  shape: readonly number[],
): Promise<Answered> {
  const logits = tidy(() => {
    const x = imagesOf(asked, shape);
    return oneRowEach(
      checked(caller, classifier, classifier.logits(x, rowsOf(asked)), asked.length),
      classifier,
    );
  });
  try {
    return { logits: (await logits.data()) as Float32Array, losses: null, gradients: null };
  } finally {
    logits.dispose();
  }
}

async function differentiate(
  caller: string,
  classifier: Classifier,
  asked: readonly Asked[],
  shape: readonly number[],
): Promise<Answered> {
  const kept: Tensor[] = [];
  const outermost = engine().state.gradientDepth === 0;
  try {
    const gradients = tidy(() => {
      const x = imagesOf(asked, shape);
      const { grads } = engine().gradients(
        () => {
          const all = checked(caller, classifier, classifier.logits(x, rowsOf(asked)), asked.length);
          const losses = lossesOf(all, asked, classifier);
          kept.push(keep(oneRowEach(all, classifier).clone()), keep(losses.clone()));
          return sum(losses) as Scalar;
        },
        [x],
        undefined,
        true,
      );
      // No way from the images to the logits that has a gradient.
      return (grads[0] as Tensor | undefined) ?? zerosLike(x);
    });
    kept.push(gradients);
    const [logits, losses, slopes] = await Promise.all(kept.map((each) => each.data()));
    return {
      logits: logits as Float32Array,
      losses: losses as Float32Array,
      gradients: slopes as Float32Array,
    };
  } catch (error) {
    // tfjs-core disposes what it has saved for the gradient only when it gets that far.
    if (outermost) for (const { saved } of engine().state.activeTape ?? []) dispose(saved ?? []);
    throw error;
  } finally {
    for (const each of kept) each.dispose();
  }
}

/** `[n]`: the loss of each question, in their order; questions of one loss stand together. */
function lossesOf(all: Tensor2D, asked: readonly Asked[], { draws = 1 }: Classifier): Tensor {
  const parts: Tensor[] = [];
  for (let from = 0; from < asked.length; ) {
    const loss = asked[from]!.loss!;
    let to = from + 1;
    while (to < asked.length && asked[to]!.loss === loss) to++;
    const part = asked.slice(from, to);
    const rows =
      part.length === asked.length
        ? all
        : (slice(all, [from * draws, 0], [part.length * draws, all.shape[1]]) as Tensor2D);
    const classes = (of: "label" | "target") =>
      tensor1d(
        part.flatMap((each) => Array<number>(draws).fill(each[of])),
        "int32",
      );
    const losses = loss.values(rows, classes("label"), classes("target"));
    parts.push(draws === 1 ? losses : mean(reshape(losses, [part.length, draws]), 1));
    from = to;
  }
  return parts.length === 1 ? parts[0]! : concat(parts);
}

/** Means over the draws of one image. */
function oneRowEach(all: Tensor2D, { draws = 1, classes }: Classifier): Tensor2D {
  return draws === 1 ? all : (mean(reshape(all, [all.shape[0] / draws, draws, classes]), 1) as Tensor2D);
}

function checked(caller: string, { draws = 1, classes }: Classifier, logits: Tensor, n: number): Tensor2D {
  const { shape } = logits;
  if (shape.length !== 2 || shape[0] !== n * draws || shape[1] !== classes) {
    throw new RangeError(
      `${caller}: classifier.logits: expected [${n * draws}, ${classes}], got [${shape.join(", ")}]`,
    );
  }
  return logits as Tensor2D;
}

const rowsOf = (asked: readonly Asked[]): Row[] => asked.map(({ row }) => row);

function imagesOf(asked: readonly Asked[], shape: readonly number[]): Tensor {
  const length = asked[0]!.x.length;
  const values = new Float32Array(asked.length * length);
  for (const [i, { x }] of asked.entries()) values.set(x, i * length);
  return tensor(values, [asked.length, ...shape], "float32");
}

function blackBoxOracle(caller: string, box: BlackBox, shape: readonly number[]): Oracle {
  const { gives, classes } = box;
  return {
    gives,
    ask: async (asked) => {
      const x = imagesOf(asked, shape);
      try {
        const numbers = await numbersOf(await box.predict(x));
        const expected = gives === "scores" ? asked.length * classes : asked.length;
        if (numbers.length !== expected) {
          const words = gives === "scores" ? `[${asked.length}, ${classes}]` : `[${asked.length}]`;
          throw new RangeError(
            `${caller}: classifier.predict: expected ${words} numbers, got ${numbers.length}`,
          );
        }
        const logits = gives === "scores" ? Float32Array.from(numbers) : oneHots(caller, numbers, classes);
        return { logits, losses: null, gradients: null };
      } finally {
        x.dispose();
      }
    },
  };
}

async function numbersOf(answer: BlackBoxAnswer): Promise<ArrayLike<number>> {
  if (answer instanceof Tensor) {
    try {
      return await answer.data();
    } finally {
      answer.dispose();
    }
  }
  const rows = Array.from(answer as ArrayLike<number | ArrayLike<number>>);
  return rows.flatMap((row) => (typeof row === "number" ? [row] : Array.from(row)));
}

/** A decision as scores: 1 for the class, 0 for the others. */
function oneHots(caller: string, decisions: ArrayLike<number>, classes: number): Float32Array {
  const scores = new Float32Array(decisions.length * classes);
  for (let i = 0; i < decisions.length; i++) {
    const decision = decisions[i]!;
    if (!(Number.isInteger(decision) && decision >= 0 && decision < classes)) {
      throw new RangeError(
        `${caller}: classifier.predict: expected classes in [0, ${classes}), got ${decision}`,
      );
    }
    scores[i * classes + decision] = 1;
  }
  return scores;
}
