import {
  type Attack,
  apgd,
  apgdTargeted,
  autoAttack,
  bim,
  boundaryAttack,
  carliniWagner,
  ddn,
  deepFool,
  elasticNet,
  fab,
  fgsm,
  hopSkipJump,
  jsma,
  miFgsm,
  onePixel,
  pgd,
  pixelOptimization,
  type RunOptions,
  sparseFool,
  spsa,
  square,
} from "../src/index.js";

export interface AttackCase {
  readonly attack: Attack;
  /** How far it may go on the small network, so that some samples fall and some stand. */
  readonly epsilon?: number;
}

const norms = ["linf", "l2", "l1"] as const;
const radius = { linf: 0.02, l2: 0.08, l1: 0.35 } as const;

/** Every attack in every norm that it knows, with budgets that a test can pay. */
export const everyAttack: readonly AttackCase[] = [
  ...norms.flatMap((norm) => [
    { attack: fgsm({ norm }), epsilon: radius[norm] },
    { attack: bim({ norm, steps: 4 }), epsilon: radius[norm] },
    { attack: pgd({ norm, steps: 4, restarts: 1, relativeStep: 0.25 }), epsilon: radius[norm] },
    { attack: apgd({ norm, steps: 20, restarts: 1 }), epsilon: radius[norm] },
    { attack: apgd({ norm, loss: "dlr", steps: 10 }), epsilon: radius[norm] },
    { attack: apgdTargeted({ norm, steps: 10, targets: 2 }), epsilon: radius[norm] },
    { attack: square({ norm, queries: 30, restarts: 1 }), epsilon: 2 * radius[norm] },
    { attack: fab({ norm, steps: 5, targets: 2, restarts: 1 }) },
    { attack: fab({ norm, steps: 4, targets: "nearest" }) },
    { attack: autoAttack({ norm, budget: 0.1 }), epsilon: radius[norm] },
  ]),
  { attack: miFgsm({ steps: 4 }), epsilon: radius.linf },
  { attack: miFgsm({ norm: "l2", steps: 4 }), epsilon: radius.l2 },
  { attack: deepFool({ steps: 5 }) },
  { attack: deepFool({ norm: "linf", steps: 5, knowsBounds: false }) },
  { attack: ddn({ steps: 10 }) },
  { attack: carliniWagner({ steps: 10, searches: 3, initialConstant: 1 }) },
  { attack: elasticNet({ steps: 10, searches: 3, initialConstant: 1 }) },
  { attack: pixelOptimization({ steps: 30 }) },
  { attack: spsa({ steps: 3, directions: 12 }), epsilon: radius.linf },
  { attack: hopSkipJump({ steps: 2, directions: 10 }) },
  { attack: hopSkipJump({ norm: "linf", steps: 2, directions: 10 }) },
  { attack: boundaryAttack({ steps: 60 }) },
  { attack: jsma({ gamma: 0.6 }) },
  { attack: onePixel({ pixels: 5, population: 12, generations: 4 }) },
  { attack: sparseFool({ steps: 5, innerSteps: 10 }) },
];

export const nameOf = ({ attack }: AttackCase) => `${attack.name} in ${attack.norm}`;

/** What each run of a case has in common. */
export const optionsOf = (
  { attack, epsilon }: AttackCase,
  labels: readonly number[],
  classes: number,
): RunOptions => ({
  preflight: false,
  ...(epsilon !== undefined && { epsilon }),
  ...(attack.targeting === "targeted" && { targets: labels.map((label) => (label + 1) % classes) }),
});
