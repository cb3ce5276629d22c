import {
  conv2d,
  conv2dByMatMul,
  convolve,
  convolve1d,
  crossCorrelate,
  crossCorrelate1d,
  pointwiseConv2d,
  transpose,
  transposedConv2d,
  transposedConvolve,
} from "@gradlab/classic-cnns/by-hand";
import fc from "fast-check";
import { expect, test } from "vitest";
import { counting, dot, layersWithNumbers, planes, plus, sizes, volumes } from "./numbers.js";

const x = counting([3, 3]);
const kernel = counting([2, 2]);

test("the kernel is laid on as it stands", () => {
  expect(crossCorrelate(x, kernel)).toEqual([
    [19, 25],
    [37, 43],
  ]);
  // Turned around it would give 5, 11, 23, 29.
  expect(convolve(x, kernel)).toEqual([
    [5, 11],
    [23, 29],
  ]);
});

test("channels are summed, and every filter gives one", () => {
  const volume = [x, plus(x, 1)];
  const filter = [kernel, plus(kernel, 1)];
  expect(conv2d(volume, [filter])).toEqual([
    [
      [56, 72],
      [104, 120],
    ],
  ]);
  const filters = [0, 1, 2].map((value) => filter.map((one) => plus(one, value)));
  expect(conv2d(volume, filters, { bias: [0, 0, 1000] })).toEqual([
    [
      [56, 72],
      [104, 120],
    ],
    [
      [76, 100],
      [148, 172],
    ],
    [
      [1096, 1128],
      [1192, 1224],
    ],
  ]);
});

test("the kernel [1, −1] finds the edges across its direction", () => {
  const row = [1, 1, 0, 0, 0, 0, 1, 1];
  const picture = Array.from({ length: 6 }, () => row);
  const edges = [[1, -1]];
  expect(crossCorrelate(picture, edges)).toEqual(Array.from({ length: 6 }, () => [0, 1, 0, 0, 0, -1, 0]));
  expect(crossCorrelate1d(row, edges[0]!)).toEqual([0, 1, 0, 0, 0, -1, 0]);
  // Along its direction it finds none; its own transpose does.
  expect(crossCorrelate(transpose(picture), edges)).toEqual(Array.from({ length: 8 }, () => [0, 0, 0, 0, 0]));
  expect(crossCorrelate(transpose(picture), transpose(edges))).toEqual(
    transpose(crossCorrelate(picture, edges)),
  );
  const diagonal = Array.from({ length: 4 }, (_, i) => Array.from({ length: 4 }, (_, j) => +(i === j)));
  expect(crossCorrelate(diagonal, edges)).toEqual([
    [1, 0, 0],
    [-1, 1, 0],
    [0, -1, 1],
    [0, 0, -1],
  ]);
});

test.each([
  ["kernel 3, padding 1", [3, 3], { padding: 1 }, [8, 8]],
  ["kernel (5, 3), padding (2, 1)", [5, 3], { padding: [2, 1] }, [8, 8]],
  ["kernel 3, padding 1, stride 2", [3, 3], { padding: 1, stride: 2 }, [4, 4]],
  ["kernel (3, 5), padding (0, 1), stride (3, 4)", [3, 5], { padding: [0, 1], stride: [3, 4] }, [2, 2]],
  ["kernel 3, dilation 2", [3, 3], { dilation: 2 }, [4, 4]],
  ["kernel 3, full", [3, 3], { padding: "full" }, [10, 10]],
  ["kernel 4, same, stride 3", [4, 4], { padding: "same", stride: 3 }, [3, 3]],
] as const)("8×8 with %s", (_, [height, width], options, expected) => {
  const got = crossCorrelate(counting([8, 8]), counting([height, width]), options);
  expect([got.length, got[0]!.length]).toEqual(expected);
});

test("padding may differ on every side, and what is left over at the end is not read", () => {
  // 1 2 3 4 with one zero before: windows (0 1), (2 3); the 4 is left over.
  expect(crossCorrelate1d([1, 2, 3, 4], [1, 10], { padding: [1, 0], stride: 2 })).toEqual([10, 32]);
  expect(crossCorrelate1d([1, 2, 3, 4], [1, 10], { padding: [0, 1], stride: 3 })).toEqual([21, 4]);
  // The odd one of "same" padding is at the end.
  expect(crossCorrelate1d([1, 2, 3], [1, 10], { padding: "same" })).toEqual([21, 32, 3]);
});

test("convolution does not care which of the two is the kernel", () => {
  expect(convolve1d([1, 2], [3, 4, 5], { padding: "full" })).toEqual([3, 10, 13, 10]); // (1 + 2t)(3 + 4t + 5t²)
  fc.assert(
    fc.property(sizes(5).chain(planes), sizes(5).chain(planes), (a, b) => {
      expect(convolve(a, b, { padding: "full" })).toEqual(convolve(b, a, { padding: "full" }));
    }),
  );
  // Cross-correlation does: the order turns the result around.
  expect(crossCorrelate1d([1, 2], [3, 4, 5], { padding: "full" })).toEqual([5, 14, 11, 6]);
  expect(crossCorrelate1d([3, 4, 5], [1, 2], { padding: "full" })).toEqual([6, 11, 14, 5]);
});

test("the transposed convolution is the adjoint, for every stride, padding, dilation, group and border", () => {
  const modes = fc.constantFrom("zero", "edge", "reflect", "symmetric", "circular");
  fc.assert(
    fc.property(layersWithNumbers, modes, fc.nat(), ({ layer, x, filters }, paddingMode, seed) => {
      const options = { ...layer.options, paddingMode };
      const once = conv2d(x, filters, options);
      const y = once.map((plane, c) =>
        plane.map((row, i) => row.map((_, j) => ((seed + 7 * c + 3 * i + 5 * j) % 11) - 5)),
      );
      const back = transposedConv2d(y, filters, { ...options, size: layer.input });
      expect(dot(once, y)).toBe(dot(x, back));
    }),
  );
});

test("a transposed convolution lays its kernels a stride apart and adds up where they overlap", () => {
  expect(transposedConvolve([[1, 10]], [[1, 2, 3]], { stride: 2 })).toEqual([[1, 2, 13, 20, 30]]);
  expect(transposedConvolve([[1, 10]], [[1, 2, 3]])).toEqual([[1, 12, 23, 30]]);
  expect(transposedConvolve([[1, 10]], [[1, 2, 3]], { stride: 2, padding: [0, 1] })).toEqual([[2, 13, 20]]);
  // "full" grew by two on either side, which the way back takes off again.
  expect(transposedConvolve([[1, 10, 0, 0, 100]], [[1, 2, 3]], { padding: "full" })).toEqual([[23, 30, 100]]);
  expect(transposedConvolve([[1, 10]], [[1, 2, 3]], { padding: "valid" })).toEqual([[1, 12, 23, 30]]);
  // Of the two sizes that stride 2 halves to this one, the larger has a column that no window reads.
  expect(transposedConvolve([[1, 10]], [[1, 2, 3]], { stride: 2, size: [1, 6] })).toEqual([
    [1, 2, 13, 20, 30, 0],
  ]);
});

test("a 1x1 convolution is a matrix product over pixels", () => {
  fc.assert(
    fc.property(
      sizes(4).chain((size) => volumes(3, size)),
      planes([2, 3]),
      (volume, weights) => {
        const filters = weights.map((row) => row.map((weight) => [[weight]]));
        expect(pointwiseConv2d(volume, weights)).toEqual(conv2d(volume, filters));
      },
    ),
  );
});

test("every convolution is a matrix product over windows", () => {
  fc.assert(
    fc.property(layersWithNumbers, ({ layer, x, filters }) => {
      expect(conv2dByMatMul(x, filters, layer.options)).toEqual(conv2d(x, filters, layer.options));
    }),
  );
});

test("groups keep to their own channels", () => {
  const [a, b] = [counting([3, 3]), plus(counting([3, 3]), 100)];
  const filters = [[kernel], [plus(kernel, 1)]];
  expect(conv2d([a, b], filters, { groups: 2 })).toEqual([
    crossCorrelate(a, kernel),
    crossCorrelate(b, plus(kernel, 1)),
  ]);
});
