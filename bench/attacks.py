"""PGD of torchattacks on LeNet: the median time of one run, as JSON."""

import json
import sys
import time

import torch
import torchattacks
from torch import nn

images, steps = int(sys.argv[1]), int(sys.argv[2])
torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(6, 16, 5),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(400, 120),
    nn.ReLU(),
    nn.Linear(120, 84),
    nn.ReLU(),
    nn.Linear(84, 10),
).eval()
x = torch.rand(images, 1, 28, 28)
labels = model(x).argmax(1)
attack = torchattacks.PGD(model, eps=0.1, alpha=0.1 / 30, steps=steps)
times = []
for i in range(7):
    started = time.perf_counter()
    attack(x, labels)
    times.append(1000 * (time.perf_counter() - started))
times = sorted(times[2:])
print(
    json.dumps(
        {"milliseconds": times[len(times) // 2], "version": torchattacks.__version__, "torch": torch.__version__}
    )
)
