"""Makes test/golden/lenet-training.json: the losses of lenet-relu, from weights in closed form, Adam 2e-3.

Batches of 50: on images in closed form, and on the first 700 Fashion-MNIST images in the folder that the environment variable
GRADLAB_DATA names.
Batches of 8: on images in closed form. Run with Debian's python3-torch: /usr/bin/python3 scripts/golden/lenet_training.py
"""
import gzip
import json
import os

import numpy as np
import torch
from torch import nn

from closed_form_weights import fill, unit
from networks import GOLDEN, lenet

STEPS = 14
PATTERNS = 100_001  # the stream of what the images of a class have in common


def closed_form_images():
    """Half noise, half a pattern of the class, in [0, 1)."""
    count = STEPS * 50
    labels = np.arange(count) * 7 % 10
    noise = unit(count * 784, PATTERNS + 1).reshape(count, 784)
    pattern = unit(10 * 784, PATTERNS).reshape(10, 784)
    values = (noise + pattern[labels] + 2) / 4
    return torch.from_numpy(values.astype(np.float32)).reshape(count, 1, 28, 28), torch.from_numpy(labels)


def fashion_mnist():
    folder = os.path.join(os.environ["GRADLAB_DATA"], "fashion-mnist-900")
    def read(name, skip):
        with gzip.open(os.path.join(folder, name)) as file:
            return np.frombuffer(file.read(), np.uint8)[skip:]

    pixels = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    labels = read("train-labels-idx1-ubyte.gz", 8)
    return torch.from_numpy(pixels.astype(np.float32) / np.float32(255)), torch.from_numpy(labels.astype(np.int64))


def losses(images, labels, size=50):
    model = fill(lenet(10, nn.ReLU, nn.MaxPool2d))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    found = []
    for step in range(STEPS):
        batch = slice(step * size, (step + 1) * size)
        loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(float(loss))
    print(found)
    return found


if __name__ == "__main__":
    content = {
        "source": {
            "tool": "PyTorch", "version": torch.__version__, "script": "scripts/golden/lenet_training.py",
            "seed": "none: weights in closed form, images in order",
        },
        "closedForm": losses(*closed_form_images()),
        "closedFormBy8": losses(*closed_form_images(), 8),
        "fashionMnist": losses(*fashion_mnist()),
    }
    with open(os.path.join(GOLDEN, "lenet-training.json"), "w") as out:
        json.dump(content, out, indent=1)
        out.write("\n")
