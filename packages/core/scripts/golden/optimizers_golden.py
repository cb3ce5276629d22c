"""Writes test/golden/optimizers.json: 25 updates of each optimizer by PyTorch, in float64.

The gradients differ in size by six orders and change sign, the rates change with every step. Options that PyTorch has a
default for are left out where the case says so: its defaults are ours.

    /usr/bin/python3 scripts/golden/optimizers_golden.py > test/golden/optimizers.json
"""

import json
import math

import torch

torch.set_default_dtype(torch.float64)
SEED = 0
STEPS = 25
KEPT = [1, 2, 3, 10, 25]
torch.manual_seed(SEED)


def float32(x):
    return x.to(torch.float32).to(torch.float64)


def numbers(x):
    return [float(f"{value:.10g}") for value in x.detach().reshape(-1).tolist()]


SHAPES = {"b": [5], "w": [3, 4]}
start = {name: float32(torch.randn(shape)) for name, shape in SHAPES.items()}
# One size for each weight, from 1e-3 to 1e3, and noise in time.
sizes = {name: 10 ** (torch.rand(shape) * 6 - 3) for name, shape in SHAPES.items()}
gradients = [
    {name: float32(sizes[name] * (torch.randn(shape) + 0.3)) for name, shape in SHAPES.items()} for _ in range(STEPS)
]
factors = [1 + 0.5 * math.sin(1.3 * t) for t in range(STEPS)]

o = torch.optim
CASES = [
    ("sgd", {"name": "sgd", "learningRate": 0.01}, lambda p, lr: o.SGD(p, lr)),
    ("momentum", {"name": "momentum", "learningRate": 0.01}, lambda p, lr: o.SGD(p, lr, momentum=0.9)),
    (
        "Nesterov",
        {"name": "momentum", "learningRate": 0.01, "momentum": 0.8, "nesterov": True},
        lambda p, lr: o.SGD(p, lr, momentum=0.8, nesterov=True),
    ),
    ("adam", {"name": "adam", "learningRate": 0.05}, lambda p, lr: o.Adam(p, lr)),
    (
        "adam, other constants",
        {"name": "adam", "learningRate": 0.05, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3},
        lambda p, lr: o.Adam(p, lr, betas=(0.8, 0.95), eps=1e-3),
    ),
    ("adamw", {"name": "adamw", "learningRate": 0.05}, lambda p, lr: o.AdamW(p, lr)),
    (
        "adamw, more decay",
        {"name": "adamw", "learningRate": 0.05, "weightDecay": 0.4},
        lambda p, lr: o.AdamW(p, lr, weight_decay=0.4),
    ),
    ("rmsprop", {"name": "rmsprop", "learningRate": 0.01}, lambda p, lr: o.RMSprop(p, lr)),
    (
        "rmsprop with momentum",
        {"name": "rmsprop", "learningRate": 0.01, "decay": 0.9, "momentum": 0.7, "epsilon": 1e-4},
        lambda p, lr: o.RMSprop(p, lr, alpha=0.9, momentum=0.7, eps=1e-4),
    ),
    (
        "centered rmsprop",
        {"name": "rmsprop", "learningRate": 0.01, "centered": True},
        lambda p, lr: o.RMSprop(p, lr, centered=True),
    ),
    (
        "centered rmsprop with momentum",
        {"name": "rmsprop", "learningRate": 0.01, "decay": 0.9, "momentum": 0.7, "centered": True},
        lambda p, lr: o.RMSprop(p, lr, alpha=0.9, momentum=0.7, centered=True),
    ),
    ("adagrad", {"name": "adagrad", "learningRate": 0.1}, lambda p, lr: o.Adagrad(p, lr)),
    (
        "adagrad, other constants",
        {"name": "adagrad", "learningRate": 0.1, "initialAccumulator": 0.3, "epsilon": 0.01},
        lambda p, lr: o.Adagrad(p, lr, initial_accumulator_value=0.3, eps=0.01),
    ),
    ("adadelta", {"name": "adadelta", "learningRate": 1}, lambda p, lr: o.Adadelta(p, lr)),
    (
        "adadelta, other constants",
        {"name": "adadelta", "learningRate": 0.5, "rho": 0.7, "epsilon": 1e-3},
        lambda p, lr: o.Adadelta(p, lr, rho=0.7, eps=1e-3),
    ),
    ("adamax", {"name": "adamax", "learningRate": 0.02}, lambda p, lr: o.Adamax(p, lr)),
    (
        "adamax, other constants",
        {"name": "adamax", "learningRate": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 0.1},
        lambda p, lr: o.Adamax(p, lr, betas=(0.8, 0.95), eps=0.1),
    ),
]


def run(config, make):
    params = {name: tensor.clone().requires_grad_() for name, tensor in start.items()}
    optimizer = make(list(params.values()), config["learningRate"])
    weights = {}
    for t in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = config["learningRate"] * factors[t]
        for name, tensor in params.items():
            tensor.grad = gradients[t][name].clone()
        optimizer.step()
        if t + 1 in KEPT:
            weights[t + 1] = {name: numbers(tensor) for name, tensor in params.items()}
    return weights


def plateau():
    """The rate after each loss."""
    cases = []
    losses = [1, 0.5, 0.6, 0.4999, 0.49996, 0.3, 0.31, 0.32, 0.33, 0.34, 0.29, 0.28, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.2]
    losses = losses + [0.2] * 14
    for options, arguments in [
        ({}, {}),
        ({"factor": 0.5, "patience": 1}, {"factor": 0.5, "patience": 1}),
        ({"factor": 0.5, "patience": 0, "cooldown": 2}, {"factor": 0.5, "patience": 0, "cooldown": 2}),
        ({"factor": 0.3, "patience": 2, "threshold": 0.1}, {"factor": 0.3, "patience": 2, "threshold": 0.1}),
        ({"factor": 0.1, "patience": 0, "minScale": 0.02}, {"factor": 0.1, "patience": 0, "min_lr": 0.02}),
    ]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, eps=0, **arguments)
        rates = []
        for loss in losses:
            scheduler.step(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        cases.append({"options": options, "rates": rates})
    return {"losses": losses, "cases": cases}


print(
    json.dumps(
        {
            "source": {
                "tool": "PyTorch",
                "version": torch.__version__,
                "script": "scripts/golden/optimizers_golden.py",
                "seed": SEED,
            },
            "shapes": SHAPES,
            "start": {name: numbers(tensor) for name, tensor in start.items()},
            "factors": factors,
            "gradients": [{name: numbers(tensor) for name, tensor in step.items()} for step in gradients],
            "cases": [{"title": title, "config": config, "weights": run(config, make)} for title, config, make in CASES],
            "plateau": plateau(),
        },
        indent=1,
    )
)
