"""Weights of a narrow LeNet as torch.save writes them, and what PyTorch makes of one image.

python3 apps/cli/scripts/golden/lenet_pth.py
"""

import json
import math
import pathlib

import torch
from torch import nn

folder = pathlib.Path(__file__).parents[2] / "test" / "golden"


class LeNet(nn.Module):
    """lenet-relu with the widths 2, 3, 8, 6 and 4 classes."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 5, padding=2)
        self.conv2 = nn.Conv2d(2, 3, 5)
        self.fc1 = nn.Linear(75, 8)
        self.fc2 = nn.Linear(8, 6)
        self.fc3 = nn.Linear(6, 4)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc3(torch.relu(self.fc2(x)))


torch.manual_seed(0)
net = LeNet()
torch.save(net.state_dict(), folder / "lenet.pth")
pixels = [round(127.5 + 127.5 * math.sin(0.37 * y + 0.11 * x * y)) for y in range(28) for x in range(28)]
image = torch.tensor(pixels, dtype=torch.float32).reshape(1, 1, 28, 28) / 255
with torch.no_grad():
    probabilities = torch.softmax(net(image), 1)[0].tolist()
golden = {
    "source": {
        "tool": "PyTorch",
        "version": torch.__version__,
        "script": "apps/cli/scripts/golden/lenet_pth.py",
        "seed": 0,
    },
    "pixels": "round(127.5 + 127.5 sin(0.37 y + 0.11 x y)), 28 x 28",
    "probabilities": probabilities,
}
(folder / "lenet.json").write_text(json.dumps(golden, indent=2) + "\n")
