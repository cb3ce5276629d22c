import { linePanels } from "@gradlab/figures";
import { countErrors, gate, initMadaline, type Madaline, madalineRule2, truthTable } from "@gradlab/lms";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { signGradientByHand, trainStraightThrough } from "./straight-through.js";

const starts = 40;
const epochs = 60;
const slopes = ["sign", "if", "straight-through"] as const;

/** Why a net of threshold units cannot be trained by its gradient, and what is done instead. */
export const signUnits = defineExperiment({
  id: "lms/sign-units",
  title: "Units with a sign have no gradient",
  about:
    "A net of two hidden units and one output, all with the sign of their sum, has to learn XOR. Automatic " +
    "differentiation gives exactly 0 for every weight, and so does the if that hides the sign: the value of either " +
    "branch is a constant. That is right: the error does not change when a weight moves by a millionth. Learning needs another " +
    "rule, such as Madaline Rule II, which tries flips of outputs, or a slope that is not that of the function: the " +
    "straight-through estimator takes 1 where the sum lies between −1 and 1. This is no gradient of the error; it is " +
    "compared with the same sums worked out by hand.",
  usesBackend: true,
  async *run({ seed }) {
    const { signGradients } = await import("./sign-gradients.js");
    const X = truthTable(2);
    const T = [...gate("xor", 2)].map((target) => [target]);
    const nets = Array.from({ length: starts }, (_, index) => initMadaline([2, 2, 1], { seed, index }));
    const gradients: Record<(typeof slopes)[number], number[][]> = {
      sign: [],
      if: [],
      "straight-through": [],
    };
    for (const net of nets) {
      for (const slope of slopes) gradients[slope].push(await signGradients(net, X, T.flat(), slope));
    }
    const rule2 = nets.map((net, index) => madalineRule2(net, X, T, { seed: index, epochs }));
    const straight = nets.map((net) => trainStraightThrough(net, X, T.flat(), { rate: 0.1, epochs }));
    // The gradient is 0: so are its steps.
    const none = nets.map((net) => Array<number>(epochs + 1).fill(countErrors(net, X, T)));
    const mean = (runs: readonly ArrayLike<number>[]) =>
      Array.from({ length: epochs + 1 }, (_, epoch) => {
        const sum = runs.reduce((total, errors) => total + errors[Math.min(epoch, errors.length - 1)]!, 0);
        return sum / runs.length;
      });
    return {
      largest: (["sign", "if"] as const).map((slope) => Math.max(...gradients[slope].flat().map(Math.abs))),
      changed: nets.map((net) => changes(net, X, T)).reduce((sum, count) => sum + count, 0),
      byTensors: gradients["straight-through"],
      byHand: nets.map((net) => signGradientByHand(net, X, T.flat())),
      solved: {
        none: none.filter((errors) => errors.at(-1) === 0).length,
        byChance: nets.filter((net) => countErrors(net, X, T) === 0).length,
        rule2: rule2.filter(({ net }) => countErrors(net, X, T) === 0).length,
        straight: straight.filter(({ net }) => countErrors(net, X, T) === 0).length,
      },
      curves: {
        "gradient of the sign": mean(none),
        "Madaline Rule II": mean(rule2.map(({ errors }) => errors)),
        "straight-through": mean(straight.map(({ errors }) => errors)),
      },
    };
  },
  checks: ({ largest, changed, byTensors, byHand, solved }) => [
    check(
      `largest of the derivatives by 9 weights, ${starts} nets: through sign, through the if`,
      [0, 0],
      largest,
    ),
    check("weights whose move by ±1e-6 changes the error", 0, changed),
    // Float32 sums of up to 8 terms of size 1.
    check(
      "straight-through slopes by tensors, against those by hand: largest difference",
      0,
      Math.max(
        ...byHand.flatMap((slopes, k) => slopes.map((slope, i) => Math.abs(slope - byTensors[k]![i]!))),
      ),
      1e-5,
    ),
    check(
      "starts solved by steps along the gradient, beyond those that begin solved",
      0,
      solved.none - solved.byChance,
    ),
    check("Madaline Rule II solves a quarter of the starts or more", 1, +(4 * solved.rule2 >= starts)),
    check("straight-through slopes solve one start or more", 1, +(solved.straight >= 1)),
  ],
  figures: ({ curves, solved }, { document }) => [
    {
      svg: linePanels(
        [
          {
            title: `Wrong rows of XOR, mean of ${starts} starts`,
            series: Object.entries(curves).map(([name, errors]) => ({
              name,
              points: errors.map((error, epoch) => [epoch, error]),
            })),
          },
        ],
        { document },
      ),
      caption:
        `Of ${starts} starts, the gradient of the sign solves ${solved.none}, Madaline Rule II ${solved.rule2} and straight-through slopes ${solved.straight} ` +
        `within ${epochs} epochs. Neither of these two is a descent along a gradient, and neither is certain to arrive.`,
    },
  ],
});

/** How many weights change the number of wrong rows when they move a little. */
function changes(net: Madaline, X: ReturnType<typeof truthTable>, T: readonly number[][]): number {
  const before = countErrors(net, X, T);
  let changed = 0;
  for (const [l, layer] of net.layers.entries()) {
    for (const i of layer.keys()) {
      for (const by of [-1e-6, 1e-6]) {
        const moved = net.layers.map((weights, k) => (k === l ? weights.with(i, weights[i]! + by) : weights));
        if (countErrors({ ...net, layers: moved }, X, T) !== before) changed += 1;
      }
    }
  }
  return changed;
}
