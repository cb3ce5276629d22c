"""Prints how large the gradients of small-cnn are before any training, for packages/experiments' classic-cnns/at-start.

Weights and images in closed form, 10 images of 3 x 32 x 32 in [-1, 1), label 7 i mod 10: the root mean square of the gradient of
each kernel; then the same with every kernel zero. Run with Debian's python3-torch: /usr/bin/python3 scripts/golden/start_gradients.py
"""
import torch
from torch import nn

from closed_form_weights import fill, images
from networks import small_cnn

COUNT = 10


def sizes(model):
    loss = nn.functional.cross_entropy(model(images(COUNT, 3, 32, 32)), torch.arange(COUNT) * 7 % 10)
    loss.backward()
    found = [float(p.grad.double().pow(2).mean().sqrt()) for p in model.parameters() if p.ndim > 1]
    return float(loss), found


if __name__ == "__main__":
    print(torch.__version__)
    print(sizes(fill(small_cnn(10))))
    zero = fill(small_cnn(10))
    with torch.no_grad():
        for parameter in zero.parameters():
            if parameter.ndim > 1:
                parameter.zero_()
    print(sizes(zero))
