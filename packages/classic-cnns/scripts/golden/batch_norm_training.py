"""Batch normalization in training mode by PyTorch, in float64, written to test/golden/batch-norm-training.json.

Run: /usr/bin/python3 batch_norm_training.py
"""

import json
from pathlib import Path

import torch


def wave(shape, scale, a, b, shift=0.0):
    size = 1
    for n in shape:
        size *= n
    i = torch.arange(size, dtype=torch.float64)
    return (shift + scale * torch.sin(i * a + b)).reshape(shape)


def case(shape, epsilon, shift):
    channels = shape[-1]
    x = wave(shape, 1.5, 1.3, 0.2, shift).requires_grad_()
    scale = wave([channels], 0.8, 0.9, 1.0).requires_grad_()
    offset = wave([channels], 0.5, 0.7, 2.0).requires_grad_()
    weights = wave(shape, 1.0, 0.37, 0.5)
    mean, variance = torch.zeros(channels).double(), torch.zeros(channels).double()
    y = torch.nn.functional.batch_norm(
        x.movedim(-1, 1), mean, variance, scale, offset, training=True, momentum=1.0, eps=epsilon
    ).movedim(1, -1)
    (y * weights).sum().backward()
    n = x.numel() / channels
    values = {
        "y": y,
        "mean": mean,
        "variance": variance * (n - 1) / n,
        "dx": x.grad,
        "dscale": scale.grad,
        "doffset": offset.grad,
    }
    digits = {name: [float(f"{v:.9g}") for v in t.detach().flatten().tolist()] for name, t in values.items()}
    return {"shape": shape, "epsilon": epsilon, "shift": shift, **digits}


golden = {
    "source": f"torch {torch.__version__}, scripts/golden/batch_norm_training.py, closed form, no seed",
    "cases": [
        case([2, 3, 4, 5], 1e-5, 0.3),
        case([7, 3], 0.1, -1.0),
        case([3, 4, 2], 1e-3, 100.0),
    ],
}
path = Path(__file__).parents[2] / "test" / "golden" / "batch-norm-training.json"
path.write_text(json.dumps(golden, indent=1) + "\n")
