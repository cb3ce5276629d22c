import "@tensorflow/tfjs-backend-cpu";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  avgPool,
  concat,
  conv2d,
  conv2dTranspose,
  depthwiseConv2d,
  env,
  fill,
  fused,
  gather,
  grad,
  grads,
  matMul,
  maxPool,
  relu,
  setBackend,
  softmax,
  type Tensor,
  type Tensor4D,
  tensor,
  tensor1d,
  image as tfImage,
  tidy,
  unsortedSegmentSum,
} from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { defined, weightsOf } from "../geometry/along.js";
import { firstGradients } from "../geometry/derivatives.js";
import { casesFor } from "../geometry/geometry.js";
import type { GeometryCase, GeometryOp, Input } from "../geometry/op.js";
import { geometryOps } from "../geometry/ops.js";
import { wasmMode } from "../training/wasm-mode.js";

// A few infinities and NaN among the numbers of random shapes: each element of value and gradient is NaN, infinite or
// finite on wasm where it is on cpu. Nothing is swallowed, nothing made up.

const RUNS = 20;

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  installGradients();
  repairKernels("cpu");
  await enableWasmTraining(wasmMode());
});

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minusInf } = Number;
const special = [nan, inf, minusInf];

/**
 * Where the cpu backend does otherwise for a reason of its own: what is put there then, or in which modes nothing is. The
 * last test says what comes out here.
 */
const apart: Readonly<
  Record<string, { readonly kinds?: readonly number[]; readonly not?: readonly string[] }>
> = {
  // It leaves NaN out of the largest, and gives no gradient to a largest of -Infinity.
  maxPool: { kinds: [inf] },
  maxPool3d: { kinds: [inf] },
  "pool of the largest, dilated": { kinds: [inf] },
  maxPoolWithArgmax: { kinds: [inf] },
  // It loses numbers beside an infinite one: the two largest of -1.5, 1.5 and Infinity are Infinity and -1.5.
  topk: { not: ["value", "gradient"] },
  "topk of equal elements": { not: ["value", "gradient"] },
  // Nothing, there, is -2 ** 53.
  dilation2d: { kinds: [inf] },
  // It multiplies by one for the segment of a slice and by 0 for the others: 0 times infinity is NaN.
  gather: { not: ["gradient"] },
  unsortedSegmentSum: { not: ["value"] },
  // It takes differences of neighbours, one of which may have no weight.
  "image.resizeBilinear": { not: ["value", "gradient"] },
};

/** Places and kinds of what is put among the elements of an input, by numbers that are drawn. */
const spotsOf = (kinds: readonly number[], most: number) =>
  fc.array(fc.tuple(fc.nat(2 ** 20), fc.constantFrom(...kinds)), { minLength: 0, maxLength: most });

type Spots = readonly (readonly [place: number, kind: number])[];

function sprinkled(values: readonly number[], at: Spots): number[] {
  const copy = [...values];
  for (const [place, kind] of at) if (copy.length > 0) copy[place % copy.length] = kind;
  return copy;
}

const withSpots = (opCase: GeometryCase, at: readonly Spots[]): GeometryCase => ({
  ...opCase,
  inputs: opCase.inputs.map((input: Input, i) =>
    (input.dtype ?? "float32") === "float32"
      ? { ...input, values: sprinkled(input.values, at[i % at.length]!) }
      : input,
  ),
});

const classOf = (x: number): string => (Number.isFinite(x) ? "finite" : String(x));

/** NaN as processors make it of Infinity - Infinity has a sign, that of JavaScript has none. */
function tensorOf({ shape, values, dtype = "float32" }: Input, signed: boolean): Tensor {
  if (dtype !== "float32") return tensor([...values], [...shape], dtype);
  const elements = Float32Array.from(values);
  const bits = new Uint32Array(elements.buffer);
  if (signed) for (const [i, value] of values.entries()) if (Number.isNaN(value)) bits[i] = 0xffc00000;
  return tensor(elements, [...shape], dtype);
}

/** The class of every element of the results, or what was thrown. */
async function classes(
  backend: string,
  op: GeometryOp,
  opCase: GeometryCase,
  weights: readonly Input[] | null,
  signed: boolean,
): Promise<string[][]> {
  await setBackend(backend);
  const outputs = tidy(() => {
    const inputs = opCase.inputs.map((input) => tensorOf(input, signed));
    if (weights === null) return [op.tfjs(inputs, structuredClone(opCase.attrs))].flat();
    const ws = weights.map((each) => tensorOf(each, signed));
    return firstGradients(op, opCase, inputs, ws);
  }) as Tensor[];
  const numbers = await Promise.all(outputs.map((x) => x.data()));
  for (const x of outputs) x.dispose();
  return numbers.map((values) => Array.from(values, classOf));
}

for (const op of geometryOps) {
  if (op.on && !op.on.includes("wasm")) continue;
  for (const mode of ["value", "gradient"] as const) {
    const { kinds = special, not = [] } = apart[op.name] ?? {};
    if ((mode === "gradient" && op.noGradient) || not.includes(mode)) continue;
    test(`${mode} of ${op.name}: NaN and infinities are where they are on cpu`, async () => {
      const spots = spotsOf(kinds, mode === "gradient" && op.kinks ? 1 : 2);
      const drawn = fc.record({
        // Of two that are equally large either may have the gradient.
        opCase: casesFor(op, mode === "value" ? mode : "second"),
        at: fc.array(spots, { minLength: 3, maxLength: 3 }),
        ofGradient: spots,
        signed: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(drawn, async ({ opCase: plain, at, ofGradient, signed }) => {
          const opCase = withSpots(plain, at);
          const weights = () => {
            const outputs = defined(op, plain);
            return weightsOf(outputs).map((values, i) => ({
              shape: outputs[i]!.shape,
              values: sprinkled(values, ofGradient),
            }));
          };
          const ws = mode === "value" ? null : weights();
          const want = await classes("cpu", op, opCase, ws, signed);
          expect(await classes("wasm", op, opCase, ws, signed)).toEqual(want);
        }),
        { numRuns: RUNS },
      );
    }, 60_000);
  }
}

/** Products and convolutions of several tiles, blocks and tasks, by their sizes: those of random shapes above are small. */
const large = fc.constantFrom<
  readonly [readonly number[], readonly number[], (x: Tensor, w: Tensor) => Tensor]
>(
  [[3, 1300], [1300, 9], (x, w) => matMul(x, w)],
  [[101, 600], [600, 70], (x, w) => matMul(x, w)],
  [[600, 40], [33, 600], (x, w) => matMul(x, w, true, true)],
  [[2, 7, 9, 70], [3, 3, 70, 20], (x, w) => conv2d(x as Tensor4D, w as Tensor4D, 1, "same")],
  [[3, 20, 20, 3], [5, 5, 3, 12], (x, w) => conv2d(x as Tensor4D, w as Tensor4D, 2, 2)],
  [[2, 9, 9, 20], [3, 3, 20, 70], (x, w) => conv2d(x as Tensor4D, w as Tensor4D, 2, "same")],
);

test("products and convolutions of many numbers, and their gradients", async () => {
  const spots = spotsOf(special, 2);
  await fc.assert(
    fc.asyncProperty(large, spots, spots, spots, async ([xShape, wShape, f], atX, atW, atY) => {
      const of = async (backend: string) => {
        await setBackend(backend);
        const outputs = tidy(() => {
          const [x, w] = [xShape, wShape].map((shape, i) => {
            const size = shape.reduce((a, b) => a * b, 1);
            const values = Array.from({ length: size }, (_, k) => Math.sin(1.7 * k + i + 1));
            return tensor(sprinkled(values, [atX, atW][i]!), [...shape]);
          });
          const y = f(x!, w!);
          const dy = tensor(sprinkled(new Array(y.size).fill(0.5), atY), y.shape);
          return [y, ...grads(f)([x!, w!], dy)];
        });
        const numbers = await Promise.all(outputs.map((each) => each.data()));
        for (const each of outputs) each.dispose();
        return numbers.map((values) => Array.from(values, classOf));
      };
      expect(await of("wasm")).toEqual(await of("cpu"));
    }),
    { numRuns: 20 },
  );
}, 60_000);

test("what comes out on wasm where the cpu backend does otherwise", async () => {
  await setBackend("wasm");
  const numbers = async (x: Tensor) => [...(await x.data())];
  const image = tensor([1, nan, minusInf, 2], [1, 2, 2, 1]) as Tensor4D;
  expect(await numbers(maxPool(image, 2, 1, "valid"))).toEqual([nan]);
  const rows = tensor([nan, inf, 3, 4], [2, 2]);
  const ids = tensor1d([2, 0], "int32");
  expect(await numbers(unsortedSegmentSum(rows, ids, 3))).toEqual([3, 4, 0, 0, nan, inf]);
  const dy = tensor([nan, 1]);
  const slopes = grad((x: Tensor) => gather(x, tensor1d([1, 2], "int32")))(tensor1d([5, 6, 7]), dy);
  expect(await numbers(slopes)).toEqual([0, nan, 1]);
  const pixels = tensor([inf, 1], [1, 1, 2, 1]) as Tensor4D;
  // Of two pixels four, a half and the edge between them.
  expect((await numbers(tfImage.resizeBilinear(pixels, [1, 4], true))).map(Number.isNaN)).not.toContain(true);
});

test("a sample that is not finite changes no bit of the others of its batch", async () => {
  await setBackend("wasm");
  const wave = (shape: number[], phase: number) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensor(
      Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + phase)),
      shape,
    );
  };
  const others = wave([2, 7, 9, 5], 0) as Tensor4D;
  const shapes = [[3, 3, 5, 6], [3, 3, 5, 1], [5], [3, 3, 4, 5]]; // biome-ignore format: one line
  const [filter, single, bias, turned] = shapes.map((shape, i) => wave(shape, i + 1) as Tensor4D);
  const ops: readonly ((x: Tensor4D) => Tensor)[] = [
    (x) => conv2d(x, filter!, 1, "same"),
    (x) => fused.conv2d({ x, filter: filter!, strides: 1, pad: "same", activation: "relu" }),
    (x) => conv2dTranspose(x, turned!, [x.shape[0], 7, 9, 4], 1, "same"),
    (x) => depthwiseConv2d(x, single!, 1, "same"),
    (x) => fused.depthwiseConv2d({ x, filter: single!, strides: 1, pad: "same", bias: bias as Tensor }),
    (x) => maxPool(x, 3, 1, "same"),
    (x) => avgPool(x, 3, 1, "same"),
    (x) => softmax(x),
    (x) => relu(x),
  ];
  for (const [i, op] of ops.entries()) {
    const alone = await op(others).data();
    for (const value of special) {
      const beside = fill([1, 7, 9, 5], value) as Tensor4D;
      const all = await op(concat([beside, others])).data();
      expect(new Uint32Array(all.slice(all.length / 3).buffer), `op ${i} beside ${value}`).toEqual(
        new Uint32Array(alone.slice().buffer),
      );
    }
  }
});
