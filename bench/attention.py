"""Forward and backward of an encoder layer, timed on request: a line with a number of threads in, milliseconds out."""

import json
import sys
import time

import torch

sizes = json.loads(sys.argv[1])
torch.manual_seed(0)
layer = torch.nn.TransformerEncoderLayer(
    sizes["width"],
    sizes["heads"],
    4 * sizes["width"],
    dropout=0.0,
    activation="gelu",
    norm_first=True,
    batch_first=True,
)
x = torch.randn(sizes["batch"], sizes["tokens"], sizes["width"], requires_grad=True)


def step():
    layer.zero_grad()
    x.grad = None
    loss = (layer(x) ** 2).mean()
    loss.backward()
    return loss.item()


print("ready", flush=True)
for line in sys.stdin:
    torch.set_num_threads(int(line))
    start = time.perf_counter()
    step()
    print((time.perf_counter() - start) * 1000, flush=True)
