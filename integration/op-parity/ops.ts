import * as tf from "@tensorflow/tfjs-core";

// biome-ignore lint/suspicious/noExplicitAny: the attributes of a case are plain JSON, the shapes of its tensors its own
type Any = any;
type Op = (inputs: Any[], attrs: Any) => tf.Tensor | tf.Tensor[];

const unary =
  (f: (x: Any) => tf.Tensor): Op =>
  ([x]) =>
    f(x);
const binary =
  (f: (a: Any, b: Any) => tf.Tensor): Op =>
  ([a, b]) =>
    f(a, b);
const reduction =
  (f: (x: Any, axis?: number[], keepDims?: boolean) => tf.Tensor): Op =>
  ([x], { axis, keepDims }) =>
    f(x, axis, keepDims);

/** The ops that the cases name, on whatever backend is current. */
export const ops: Readonly<Record<string, Op>> = {
  matMul: ([a, b], { transposeA = false, transposeB = false }) => tf.matMul(a, b, transposeA, transposeB),
  fusedMatMul: ([a, b, bias], attrs) => tf.fused.matMul({ a, b, bias, ...attrs }),
  dot: binary(tf.dot),
  outerProduct: binary(tf.outerProduct),
  conv2d: ([x, w], { strides, pad, dilations = 1 }) => tf.conv2d(x, w, strides, pad, "NHWC", dilations),
  fusedConv2d: ([x, filter, bias], attrs) => tf.fused.conv2d({ x, filter, bias, ...attrs }),
  conv1d: ([x, w], { stride, pad }) => tf.conv1d(x, w, stride, pad),
  conv2dTranspose: ([x, w], { outputShape, strides, pad }) =>
    tf.conv2dTranspose(x, w, outputShape, strides, pad),
  depthwiseConv2d: ([x, w], { strides, pad }) => tf.depthwiseConv2d(x, w, strides, pad),
  separableConv2d: ([x, d, p], { strides, pad }) => tf.separableConv2d(x, d, p, strides, pad),
  conv3d: ([x, w], { strides, pad }) => tf.conv3d(x, w, strides, pad),
  maxPool: ([x], { filterSize, strides, pad }) => tf.maxPool(x, filterSize, strides, pad),
  avgPool: ([x], { filterSize, strides, pad }) => tf.avgPool(x, filterSize, strides, pad),
  maxPool3d: ([x], { filterSize, strides, pad }) => tf.maxPool3d(x, filterSize, strides, pad),
  avgPool3d: ([x], { filterSize, strides, pad }) => tf.avgPool3d(x, filterSize, strides, pad),
  dilation2d: ([x, w], { strides, pad }) => tf.dilation2d(x, w, strides, pad),
  gather: ([x, indices], { axis, batchDims }) => tf.gather(x, indices, axis, batchDims),
  unsortedSegmentSum: ([x, ids], { numSegments }) => tf.unsortedSegmentSum(x, ids, numSegments),
  oneHotMatMul: ([w, indices], { depth }) => tf.matMul(tf.oneHot(indices, depth, 1, 0, "float32"), w),
  softmax: unary(tf.softmax),
  logSoftmax: unary(tf.logSoftmax),
  softmaxCrossEntropy: binary(tf.losses.softmaxCrossEntropy),
  sigmoidCrossEntropy: binary(tf.losses.sigmoidCrossEntropy),
  logSumExp: ([x], { axis }) => tf.logSumExp(x, axis),
  lrn: ([x], { depthRadius, bias, alpha, beta }) =>
    tf.localResponseNormalization(x, depthRadius, bias, alpha, beta),
  batchNorm: ([x, mean, variance, offset, scale], { epsilon }) =>
    tf.batchNorm(x, mean, variance, offset, scale, epsilon),
  batchNormTrain: ([x, offset, scale], { epsilon }) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return tf.batchNorm(x, mean as Any, variance as Any, offset, scale, epsilon);
  },
  moments: ([x], { axis }) => {
    const { mean, variance } = tf.moments(x, axis);
    return [mean, variance];
  },
  norm: ([x], { axis }) => tf.norm(x, "euclidean", axis),
  resizeBilinear: ([x], { size, alignCorners }) => tf.image.resizeBilinear(x, size, alignCorners),
  resizeNearestNeighbor: ([x], { size }) => tf.image.resizeNearestNeighbor(x, size),
  relu: unary(tf.relu),
  relu6: unary(tf.relu6),
  leakyRelu: unary(tf.leakyRelu),
  elu: unary(tf.elu),
  selu: unary(tf.selu),
  sigmoid: unary(tf.sigmoid),
  tanh: unary(tf.tanh),
  softplus: unary(tf.softplus),
  exp: unary(tf.exp),
  log: unary(tf.log),
  log1p: unary(tf.log1p),
  expm1: unary(tf.expm1),
  sqrt: unary(tf.sqrt),
  rsqrt: unary(tf.rsqrt),
  square: unary(tf.square),
  reciprocal: unary(tf.reciprocal),
  abs: unary(tf.abs),
  neg: unary(tf.neg),
  sin: unary(tf.sin),
  cos: unary(tf.cos),
  tan: unary(tf.tan),
  asin: unary(tf.asin),
  acos: unary(tf.acos),
  atan: unary(tf.atan),
  sinh: unary(tf.sinh),
  cosh: unary(tf.cosh),
  erf: unary(tf.erf),
  gelu: unary((x) => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))))),
  mish: unary((x) => tf.mul(x, tf.tanh(tf.softplus(x)))),
  sign: unary(tf.sign),
  floor: unary(tf.floor),
  prelu: binary(tf.prelu),
  clipByValue: ([x], { min, max }) => tf.clipByValue(x, min, max),
  add: binary(tf.add),
  sub: binary(tf.sub),
  mul: binary(tf.mul),
  div: binary(tf.div),
  squaredDifference: binary(tf.squaredDifference),
  pow: binary(tf.pow),
  atan2: binary(tf.atan2),
  mod: binary(tf.mod),
  maximum: binary(tf.maximum),
  minimum: binary(tf.minimum),
  whereGreater: binary((a, b) => tf.where(tf.greater(a, b), a, b)),
  whereCast: unary((x) => tf.where(tf.greater(tf.cast(x, "int32"), tf.scalar(0, "int32")), tf.mul(x, 3), x)),
  sum: reduction(tf.sum),
  mean: reduction(tf.mean),
  max: reduction(tf.max),
  min: reduction(tf.min),
  prod: reduction(tf.prod),
  cumsum: ([x], { axis, exclusive, reverse }) => tf.cumsum(x, axis, exclusive, reverse),
  concat: (xs, { axis }) => tf.concat(xs, axis),
  stack: (xs, { axis }) => tf.stack(xs, axis),
  unstack: ([x], { axis }) => tf.unstack(x, axis),
  split: ([x], { parts, axis }) => tf.split(x, parts, axis),
  slice: ([x], { begin, size }) => tf.slice(x, begin, size),
  pad: ([x], { paddings }) => tf.pad(x, paddings),
  mirrorPad: ([x], { paddings, mode }) => tf.mirrorPad(x, paddings, mode),
  tile: ([x], { reps }) => tf.tile(x, reps),
  broadcastTo: ([x], { shape }) => tf.broadcastTo(x, shape),
  reverse: ([x], { axis }) => tf.reverse(x, axis),
  transpose: ([x], { perm }) => tf.transpose(x, perm),
  spaceToBatchND: ([x], { blockShape, paddings }) => tf.spaceToBatchND(x, blockShape, paddings),
  batchToSpaceND: ([x], { blockShape, crops }) => tf.batchToSpaceND(x, blockShape, crops),
  basicLstmCell: ([kernel, bias, x, c, h], { forgetBias }) =>
    tf.basicLSTMCell(forgetBias, kernel, bias, x, c, h),
  einsum: (xs, { equation }) => tf.einsum(equation, ...xs),
  topk: ([x], { k }) => tf.topk(x, k).values,
  oneHot: ([indices], { depth }) => tf.oneHot(indices, depth),
  gatherNd: binary(tf.gatherND),
  stridedSlice: ([x], { begin, end, strides }) => tf.stridedSlice(x, begin, end, strides),
  cumprod: ([x], { axis }) => tf.cumprod(x, axis),
  argMax: ([x], { axis }) => tf.argMax(x, axis),
  depthToSpace: ([x], { blockSize }) => tf.depthToSpace(x, blockSize),
  depthwiseConv2dDilated: ([x, w], { strides, pad, dilations }) =>
    tf.depthwiseConv2d(x, w, strides, pad, "NHWC", dilations),
  scatterNd: ([indices, updates], { shape }) => tf.scatterND(indices, updates, shape),
};
