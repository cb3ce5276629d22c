"""Products and convolutions in PyTorch, timed on request: a line "name threads" in, milliseconds out."""

import json
import sys
import time

import torch

cases = json.loads(sys.argv[1])
torch.manual_seed(0)


def product(n):
    a, b = torch.randn(n, n), torch.randn(n, n)
    return lambda: a @ b


def convolution(batch, size, inputs, outputs, kernel, part):
    x, filter = torch.randn(batch, inputs, size, size), torch.randn(outputs, inputs, kernel, kernel)
    pad = kernel // 2
    if part == "forward":
        return lambda: torch.nn.functional.conv2d(x, filter, padding=pad)
    dy = torch.randn(batch, outputs, size, size)
    mask = [part == "input", part == "filter", False]
    backward = torch.ops.aten.convolution_backward
    return lambda: backward(dy, x, filter, [0], [1, 1], [pad, pad], [1, 1], False, [0, 0], 1, mask)


makers = {"product": product, "convolution": convolution}
runs = {name: makers[kind](**sizes) for name, (kind, sizes) in cases.items()}
print("ready", flush=True)
for line in sys.stdin:
    name, threads = line.split()
    torch.set_num_threads(int(threads))
    start = time.perf_counter()
    with torch.no_grad():
        runs[name]()
    print((time.perf_counter() - start) * 1000, flush=True)
