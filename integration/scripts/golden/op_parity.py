#!/usr/bin/python3
"""Computes every case of integration/op-parity/cases.json in float64 with PyTorch.

    /usr/bin/python3 integration/scripts/golden/op_parity.py

Each case gets its inputs (rounded to float32, so that every backend starts
from the same numbers), the weights of its outputs, the outputs, and the
gradients of the sum of outputs times weights.
"""
import json
import math
import os
import zlib

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "..", "op-parity")
SEED = 20240607

# ---------------------------------------------------------------- helpers


def pair(value, n=2):
    return [value] * n if isinstance(value, int) else list(value)


def pads(size, taps, stride, dilation, pad, axis):
    """Begin and end of the padding of one spatial axis, TensorFlow's rule."""
    reach = (taps - 1) * dilation + 1
    if pad == "valid":
        return 0, 0
    if pad == "same":
        out = -(-size // stride)
        total = max(0, (out - 1) * stride + reach - size)
        return total // 2, total - total // 2
    return pad[axis]


def margins(x, taps, strides, dilations, pad):
    """Paddings of the spatial axes of a channels-last image."""
    return [pads(x.shape[i + 1], t, s, d, pad, i + 1) for i, (t, s, d) in enumerate(zip(taps, strides, dilations))]


def pad_spatial(x, ms, value=0.0):
    flat = [0, 0]
    for begin, end in reversed(ms):
        flat += [begin, end]
    return F.pad(x, flat, value=value)


def channels_first(x):
    return x.movedim(-1, 1)


def channels_last(x):
    return x.movedim(1, -1)


def conv(x, w, strides, pad, dilations=1, groups=1):
    n = w.dim() - 2
    strides, dilations = pair(strides, n), pair(dilations, n)
    rank3 = x.dim() == n + 1
    if rank3:
        x = x[None]
    x = pad_spatial(x, margins(x, w.shape[:n], strides, dilations, pad))
    kernel = w.movedim(-1, 0).movedim(-1, 1)
    f = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[n]
    y = channels_last(f(channels_first(x), kernel, stride=strides, dilation=dilations, groups=groups))
    return y[0] if rank3 else y


def depthwise(x, w, strides, pad, dilations=1):
    h, wd, c, m = w.shape
    return conv(x, w.reshape(h, wd, 1, c * m), strides, pad, dilations, c)


def windows(x, taps, strides, ms, value):
    """[batch, *out, channels, taps] of a channels-last image."""
    x = pad_spatial(x, ms, value)
    for i, (t, s) in enumerate(zip(taps, strides)):
        x = x.unfold(i + 1, t, s)
    return x.flatten(-len(taps))


def pool(x, filterSize, strides, pad, kind):
    n = x.dim() - 2
    taps, strides = pair(filterSize, n), pair(strides, n)
    ms = margins(x, taps, strides, [1] * n, pad)
    if kind == "max":
        return windows(x, taps, strides, ms, -math.inf).max(-1).values
    count = windows(torch.ones_like(x), taps, strides, ms, 0.0).sum(-1)
    return windows(x, taps, strides, ms, 0.0).sum(-1) / count


def max_pool_first(x, filterSize, strides, pad):
    """Maximum whose gradient goes to the first of equal elements."""
    n = x.dim() - 2
    taps, strides = pair(filterSize, n), pair(strides, n)
    ws = windows(x, taps, strides, margins(x, taps, strides, [1] * n, pad), -math.inf)
    order = torch.arange(ws.shape[-1], 0, -1)
    first = ((ws == ws.max(-1, keepdim=True).values) * order).argmax(-1, keepdim=True)
    return ws.gather(-1, first)[..., 0]


def conv2d_transpose(x, w, outputShape, strides, pad):
    n = torch.zeros(outputShape, dtype=torch.float64, requires_grad=True)
    y = conv(n, w, strides, pad)
    (dx,) = torch.autograd.grad(y, n, x, create_graph=True)
    return dx


def activation(x, name):
    return {"linear": lambda z: z, "relu": torch.relu, "sigmoid": torch.sigmoid}[name](x)


def mat_mul(a, b, transposeA=False, transposeB=False):
    return (a.mT if transposeA else a) @ (b.mT if transposeB else b)


def gather(x, indices, axis=0, batchDims=0):
    if batchDims == 0:
        y = x.index_select(axis, indices.flatten())
        return y.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return torch.stack([gather(x[b], indices[b], axis - 1, batchDims - 1) for b in range(x.shape[0])])


def segment_sum(x, ids, numSegments):
    return torch.zeros(numSegments, *x.shape[1:], dtype=x.dtype).index_add(0, ids, x)


def batch_norm(x, mean, variance, offset, scale, epsilon):
    return (x - mean) / torch.sqrt(variance + epsilon) * scale + offset


def moments(x, axis):
    return [x.mean(axis), x.var(axis, unbiased=False)]


def batch_norm_train(x, offset, scale, epsilon):
    mean, variance = moments(x, [0, 1, 2])
    return batch_norm(x, mean, variance, offset, scale, epsilon)


def lrn(x, depthRadius, bias, alpha, beta):
    squares = F.pad(x * x, [depthRadius, depthRadius]).unfold(-1, 2 * depthRadius + 1, 1).sum(-1)
    return x / (bias + alpha * squares) ** beta


def resize_bilinear(x, size, alignCorners):
    for axis, target in zip((1, 2), size):
        n = x.shape[axis]
        scale = (n - 1) / (target - 1) if alignCorners and target > 1 else n / target
        at = torch.arange(target, dtype=torch.float64) * scale
        low = at.floor().long().clamp(max=n - 1)
        high = (low + 1).clamp(max=n - 1)
        shape = [1] * x.dim()
        shape[axis] = target
        part = (at - low).reshape(shape)
        x = x.index_select(axis, low) * (1 - part) + x.index_select(axis, high) * part
    return x


def resize_nearest(x, size):
    for axis, target in zip((1, 2), size):
        at = (torch.arange(target, dtype=torch.float64) * (x.shape[axis] / target)).floor().long()
        x = x.index_select(axis, at)
    return x


def dilation2d(x, w, strides, pad):
    taps, strides = w.shape[:2], pair(strides)
    ws = windows(x, taps, strides, margins(x, taps, strides, [1, 1], pad), -math.inf)
    return (ws + w.reshape(-1, w.shape[2]).T).max(-1).values


def reduce_extreme(f):
    def run(x, axis, keepDims=False):
        return f(x, dim=axis[0], keepdim=keepDims).values

    return run


def prod(x, axis):
    return x.prod(axis[0])


def reduction(f):
    def run(x, axis=None, keepDims=False):
        return f(x) if axis is None else f(x, dim=axis, keepdim=keepDims)

    return run


def cumsum(x, axis, exclusive=False, reverse=False):
    if reverse:
        x = x.flip(axis)
    y = x.cumsum(axis)
    if exclusive:
        y = y - x
    return y.flip(axis) if reverse else y


def split(x, parts, axis):
    if isinstance(parts, int):
        parts = [x.shape[axis] // parts] * parts
    return list(torch.split(x, parts, axis))


def slice_(x, begin, size):
    return x[tuple(slice(b, b + s) for b, s in zip(begin, size))]


def pad_constant(x, paddings):
    return F.pad(x, [n for begin_end in reversed(paddings) for n in begin_end])


def mirror_pad(x, paddings, mode):
    for axis, (begin, end) in enumerate(paddings):
        n = x.shape[axis]
        skip = {"reflect": 1, "symmetric": 0}[mode]
        left = range(begin - 1 + skip, -1 + skip, -1)
        right = range(n - 1 - skip, n - 1 - skip - end, -1)
        at = [*left, *range(n), *right]
        x = x.index_select(axis, torch.tensor(at))
    return x


def space_to_batch(x, blockShape, paddings):
    assert all(n == 0 for p in paddings for n in p)
    b, h, w, c = x.shape
    p, q = blockShape
    return x.reshape(b, h // p, p, w // q, q, c).permute(2, 4, 0, 1, 3, 5).reshape(p * q * b, h // p, w // q, c)


def batch_to_space(x, blockShape, crops):
    assert all(n == 0 for p in crops for n in p)
    b, h, w, c = x.shape
    p, q = blockShape
    return x.reshape(p, q, b // (p * q), h, w, c).permute(2, 3, 0, 4, 1, 5).reshape(b // (p * q), h * p, w * q, c)


def lstm_cell(kernel, bias, x, c, h, forgetBias):
    gates = torch.cat([x, h], 1) @ kernel + bias
    i, j, f, o = gates.chunk(4, 1)
    new_c = torch.sigmoid(i) * torch.tanh(j) + c * torch.sigmoid(f + forgetBias)
    return [new_c, torch.tanh(new_c) * torch.sigmoid(o)]


def mod(a, b):
    return a - b * torch.floor(a / b).detach()


def softmax_cross_entropy(labels, logits):
    return -(labels * F.log_softmax(logits, -1)).sum(-1).mean()


def where_cast(x):
    return torch.where(x.detach().trunc() > 0, 3 * x, x)


def clip(x, min, max):
    return torch.clamp(x, min, max)


def depth_to_space(x, blockSize):
    b, h, w, c = x.shape
    n = blockSize
    return x.reshape(b, h, w, n, n, c // (n * n)).permute(0, 1, 3, 2, 4, 5).reshape(b, h * n, w * n, c // (n * n))


def strided_slice(x, begin, end, strides):
    return x[tuple(slice(*bounds) for bounds in zip(begin, end, strides))]


def gather_nd(x, indices):
    return x[tuple(indices.T)]


def scatter_nd(indices, updates, shape):
    return torch.zeros(shape, dtype=updates.dtype).index_add(0, indices[:, 0], updates)


OPS = {
    "matMul": mat_mul,
    "fusedMatMul": lambda a, b, c, activation="linear", **t: ACTIVATE(mat_mul(a, b, **t) + c, activation),
    "dot": torch.dot,
    "outerProduct": torch.outer,
    "conv2d": lambda x, w, strides, pad, dilations=1: conv(x, w, strides, pad, dilations),
    "fusedConv2d": lambda x, w, b, strides, pad, activation: ACTIVATE(conv(x, w, strides, pad) + b, activation),
    "conv1d": lambda x, w, stride, pad: conv(x, w, stride, pad),
    "conv2dTranspose": conv2d_transpose,
    "depthwiseConv2d": depthwise,
    "separableConv2d": lambda x, w, p, strides, pad: conv(depthwise(x, w, strides, pad), p, 1, "valid"),
    "conv3d": lambda x, w, strides, pad: conv(x, w, strides, pad),
    "maxPool": max_pool_first,
    "avgPool": lambda x, **a: pool(x, kind="avg", **a),
    "maxPool3d": max_pool_first,
    "avgPool3d": lambda x, **a: pool(x, kind="avg", **a),
    "dilation2d": dilation2d,
    "gather": gather,
    "unsortedSegmentSum": segment_sum,
    "oneHotMatMul": lambda w, i, depth: F.one_hot(i, depth).double() @ w,
    "softmax": lambda x: F.softmax(x, -1),
    "logSoftmax": lambda x: F.log_softmax(x, -1),
    "softmaxCrossEntropy": softmax_cross_entropy,
    "sigmoidCrossEntropy": lambda labels, x: F.binary_cross_entropy_with_logits(x, labels),
    "logSumExp": lambda x, axis: torch.logsumexp(x, axis),
    "lrn": lrn,
    "batchNorm": batch_norm,
    "batchNormTrain": batch_norm_train,
    "moments": moments,
    "norm": lambda x, axis: x.norm(dim=axis),
    "resizeBilinear": resize_bilinear,
    "resizeNearestNeighbor": resize_nearest,
    "relu": torch.relu,
    "relu6": F.relu6,
    "leakyRelu": lambda x: F.leaky_relu(x, 0.2),
    "elu": F.elu,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "exp": torch.exp,
    "log": torch.log,
    "log1p": torch.log1p,
    "expm1": torch.expm1,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "square": torch.square,
    "reciprocal": torch.reciprocal,
    "abs": torch.abs,
    "neg": torch.neg,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "erf": torch.erf,
    "gelu": F.gelu,
    "mish": F.mish,
    "sign": torch.sign,
    "floor": torch.floor,
    "prelu": lambda x, a: torch.where(x > 0, x, x * a),
    "clipByValue": clip,
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "squaredDifference": lambda a, b: (a - b) ** 2,
    "pow": torch.pow,
    "atan2": torch.atan2,
    "mod": mod,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "whereGreater": lambda a, b: torch.where(a > b, a, b),
    "whereCast": where_cast,
    "sum": reduction(torch.sum),
    "mean": reduction(torch.mean),
    "max": reduce_extreme(torch.max),
    "min": reduce_extreme(torch.min),
    "prod": prod,
    "cumsum": cumsum,
    "concat": lambda *xs, axis: torch.cat(xs, axis),
    "stack": lambda *xs, axis: torch.stack(xs, axis),
    "unstack": lambda x, axis: list(x.unbind(axis)),
    "split": split,
    "slice": slice_,
    "pad": pad_constant,
    "mirrorPad": mirror_pad,
    "tile": lambda x, reps: x.repeat(*reps),
    "broadcastTo": lambda x, shape: x.expand(*shape),
    "reverse": lambda x, axis: x.flip(axis),
    "transpose": lambda x, perm: x.permute(*perm),
    "spaceToBatchND": space_to_batch,
    "batchToSpaceND": batch_to_space,
    "basicLstmCell": lstm_cell,
    "einsum": lambda *xs, equation: torch.einsum(equation, *xs),
    "topk": lambda x, k: x.topk(k).values,
    "oneHot": lambda i, depth: F.one_hot(i, depth).double(),
    "gatherNd": gather_nd,
    "stridedSlice": strided_slice,
    "cumprod": lambda x, axis: x.cumprod(axis),
    "argMax": lambda x, axis: x.argmax(axis).double(),
    "depthToSpace": depth_to_space,
    "depthwiseConv2dDilated": depthwise,
    "scatterNd": scatter_nd,
}
ACTIVATE = activation


# ---------------------------------------------------------------- cases


def make_input(spec):
    shape = spec["shape"]
    if "values" in spec:
        kind = torch.int64 if spec.get("dtype") == "int32" else torch.float64
        return torch.tensor(spec["values"], dtype=kind).reshape(shape)
    u = torch.rand(shape, dtype=torch.float64)
    fill = spec.get("fill", "wave")
    x = {"wave": 2 * u - 1, "positive": 0.5 + 1.5 * u, "negative": -2 + u}[fill] * spec.get("scale", 1)
    return x.float().double()


def digits(x):
    # Nine digits tell any two float32 apart, and are 1,000 times finer than any tolerance.
    return [float(f"{v:.9g}") for v in x.detach().flatten().tolist()]


def compute(case):
    inputs = [make_input(spec) for spec in case["inputs"]]
    trained = [i for i, x in enumerate(inputs) if x.dtype == torch.float64 and i in case.get("wrt", range(len(inputs)))]
    if case.get("forward"):
        trained = []
    for i in trained:
        inputs[i].requires_grad_(True)
    result = OPS[case["op"]](*inputs, **case.get("attrs", {}))
    outputs = result if isinstance(result, list) else [result]
    weights = [(2 * torch.rand(y.shape, dtype=torch.float64) - 1).float().double() for y in outputs]
    golden = {
        "inputs": [digits(x) for x in inputs],
        "weights": [digits(w) for w in weights],
        "outputs": [{"shape": list(y.shape), "values": digits(y)} for y in outputs],
    }
    if trained:
        total = sum((y * w).sum() for y, w in zip(outputs, weights))
        gradients = torch.autograd.grad(total, [inputs[i] for i in trained], allow_unused=True)
        golden["gradients"] = {
            str(i): digits(torch.zeros_like(inputs[i]) if g is None else g) for i, g in zip(trained, gradients)
        }
    return golden


def main():
    with open(os.path.join(FOLDER, "cases.json"), encoding="utf8") as file:
        cases = json.load(file)
    golden = {}
    for case in cases:
        # By name, so that a new case leaves the others as they are.
        torch.manual_seed(SEED + zlib.crc32(case["name"].encode()))
        golden[case["name"]] = compute(case)
    source = {
        "tool": "PyTorch",
        "version": torch.__version__,
        "precision": "float64",
        "script": "integration/scripts/golden/op_parity.py",
        "seed": SEED,
    }
    with open(os.path.join(FOLDER, "golden", "op-parity.json"), "w", encoding="utf8") as file:
        file.write('{"source": ' + json.dumps(source) + ',\n"cases": {\n')
        file.write(",\n".join(json.dumps(name, ensure_ascii=False) + ": " + json.dumps(g) for name, g in golden.items()))
        file.write("\n}}\n")


main()
