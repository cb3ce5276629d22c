"""Convolutions, their transposes and gradients, and poolings, as PyTorch computes them in float64.

Inputs come from the closed form of test/by-hand/numbers.ts: sin(1.7 i^2 + 0.3 i + phase).
Run: python3 packages/classic-cnns/scripts/golden/by_hand_golden.py > packages/classic-cnns/test/by-hand/golden/torch.json
"""

import json
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def wave(shape, phase):
    count = math.prod(shape)
    return torch.tensor([math.sin(1.7 * i * i + 0.3 * i + phase) for i in range(count)]).reshape(shape)


def flat(tensor):
    return [float(f"{value:.15g}") for value in tensor.detach().flatten().tolist()]


# Stride and dilation together, and groups, are what tfjs cannot check.
layers = []
for x_shape, w_shape, stride, padding, dilation, groups in [
    ([4, 7, 6], [6, 2, 3, 2], (2, 1), (1, 0), (2, 3), 2),
    ([3, 6, 7], [3, 1, 2, 3], (3, 2), (2, 1), (1, 2), 3),
    ([2, 8, 5], [3, 2, 3, 3], (3, 3), (0, 2), (1, 1), 1),
]:
    x = wave(x_shape, 0.0).requires_grad_()
    w = wave(w_shape, 1.0).requires_grad_()
    b = wave(w_shape[:1], 2.0).requires_grad_()
    y = F.conv2d(x[None], w, b, stride, padding, dilation, groups)[0]
    dy = wave(list(y.shape), 3.0)
    y.backward(dy)
    rest = [
        n - ((m - 1) * s - 2 * p + d * (k - 1) + 1)
        for n, m, s, p, d, k in zip(x_shape[1:], y.shape[1:], stride, padding, dilation, w_shape[2:])
    ]
    back = F.conv_transpose2d(dy[None], w, None, stride, padding, rest, groups, dilation)[0]
    layers.append(
        dict(x=x_shape, filters=w_shape, stride=stride, padding=padding, dilation=dilation, groups=groups,
             y=dict(shape=list(y.shape), values=flat(y)), transposed=flat(back),
             gradients=dict(x=flat(x.grad), filters=flat(w.grad), bias=flat(b.grad)))
    )

x = wave([1, 1, 4, 5], 0.0)
pads = {
    mode: flat(F.pad(x, (2, 1, 1, 3), mode=torch_mode))
    for mode, torch_mode in [("edge", "replicate"), ("reflect", "reflect"), ("circular", "circular"), ("zero", "constant")]
}
pool = dict(kernel_size=(3, 2), stride=(2, 1), padding=(1, 1))
pools = dict(
    max=flat(F.max_pool2d(x, **pool)),
    averageWithPadding=flat(F.avg_pool2d(x, **pool)),
    averageWithout=flat(F.avg_pool2d(x, **pool, count_include_pad=False)),
)
print(json.dumps(dict(
    source=dict(tool="PyTorch", version=torch.__version__, script="scripts/golden/by_hand_golden.py", seed=None),
    layers=layers, pads=pads, pools=pools,
)))
