import "@tensorflow/tfjs-backend-cpu";
import {
  type Attack,
  apgd,
  carliniWagner,
  deepFool,
  fab,
  type RunOptions,
  runAttack,
  square,
} from "@gradlab/attacks";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { concat, env, memory, setBackend, slice, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { predictions, smallCnn, uniformTensor } from "../../packages/attacks/test/models.js";
import { withDeviceErrors } from "../op-parity/device-errors.js";
import { createWebgpu } from "./create-webgpu.js";

env().set("PROD", true); // no advertisement on the console
installGradients();
const adapter = await createWebgpu();
repairKernels("webgpu");

const model = smallCnn();
const images = 5;
/** What the cpu backend says of every attack. */
const known = new Map<string, Verdict[]>();
let labels: number[];

interface Case {
  readonly attack: Attack;
  readonly epsilon?: number;
}

const cases: Record<string, Case> = {
  "apgd in linf": { attack: apgd({ steps: 8 }), epsilon: 0.04 },
  "square in l2": { attack: square({ norm: "l2", queries: 20 }), epsilon: 1.5 },
  fab: { attack: fab({ steps: 3, targets: 2 }) },
  deepfool: { attack: deepFool({ steps: 6 }) },
  "carlini and wagner": {
    attack: carliniWagner({ steps: 8, searches: 2, initialConstant: 3, learningRate: 0.05 }),
  },
};

interface Verdict {
  readonly id: number;
  readonly success: boolean;
  readonly prediction: number;
  readonly certified: boolean;
}

async function verdicts(x: Tensor, { attack, epsilon }: Case, options: RunOptions = {}): Promise<Verdict[]> {
  const of = options.ids?.map((id) => labels[id]!) ?? labels;
  const { samples, adversarial } = await runAttack(model, attack, x, of, {
    preflight: false,
    ...(epsilon !== undefined && { epsilon }),
    ...options,
  });
  adversarial.dispose();
  return samples.map(({ id, success, prediction, certificate }) => ({
    id,
    success,
    prediction,
    certified: certificate?.inBounds === true && certificate.inBall && certificate.alone,
  }));
}

const drawn = () => uniformTensor([images, 8, 8, 1], "verdicts");

beforeAll(async () => {
  await setBackend("cpu");
  const x = drawn();
  labels = await predictions(model, x);
  for (const [name, each] of Object.entries(cases)) known.set(name, await verdicts(x, each));
  x.dispose();
  await setBackend("webgpu");
});

describe.each(Object.keys(cases))("%s", (name) => {
  test("has on webgpu the verdicts of cpu, in any batch, order and shard, and leaves nothing behind", async () => {
    const before = memory().numTensors;
    const { result, errors } = await withDeviceErrors(adapter.device, async () => {
      const x = drawn();
      const order = [3, 1];
      const some = tidy(() => concat(order.map((i) => slice(x, [i], [1]))));
      const whole = await verdicts(x, cases[name]!);
      const parts = await verdicts(x, cases[name]!, { batchSize: 3 });
      const shard = await verdicts(some, cases[name]!, { batchSize: 1, ids: order });
      x.dispose();
      some.dispose();
      return { whole, parts, shard: shard.map((each) => [each, whole[each.id]]) };
    });
    expect(errors).toEqual([]);
    expect(memory().numTensors).toBe(before);
    expect(result.whole).toEqual(known.get(name));
    expect(result.parts).toEqual(result.whole);
    for (const [alone, among] of result.shard) expect(alone).toEqual(among);
    const found = result.whole.filter(({ success }) => success);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ certified }) => certified)).toBe(true);
  }, 120_000);
});
