"""Writes test/golden/torch.json: losses, samplers, schedules, AdamW and the defaults of layers, as PyTorch has them.

All in float64, from inputs that are written beside them.

    /usr/bin/python3 scripts/golden/torch_golden.py > test/golden/torch.json
"""

import json
import math
import warnings

import torch

warnings.simplefilter("ignore")
torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
SEED = 0


def numbers(x):
    return x.detach().reshape(-1).tolist()


def float32(*shape, scale=1.0):
    """Numbers that a float32 holds exactly."""
    return (torch.randn(*shape) * scale).to(torch.float32).to(torch.float64)


def cross_entropy():
    cases = []
    for rows, classes, scale, smoothing, ignore, reduction in [
        (5, 7, 2.0, 0.0, None, "mean"),
        (5, 7, 2.0, 0.1, None, "mean"),
        (6, 4, 3.0, 0.3, 2, "mean"),
        (6, 4, 3.0, 1.0, None, "sum"),
        (6, 4, 3.0, 0.1, -100, "none"),
        (4, 5, 5e3, 0.0, None, "sum"),
        (4, 5, 5e3, 0.1, None, "mean"),
    ]:
        logits = float32(rows, classes, scale=scale).requires_grad_()
        labels = torch.randint(0, classes, (rows,))
        if ignore is not None:
            labels[1] = ignore
            labels[4] = ignore
        weights = float32(rows)
        loss = torch.nn.functional.cross_entropy(
            logits,
            labels,
            reduction=reduction,
            label_smoothing=smoothing,
            ignore_index=-100 if ignore is None else ignore,
        )
        total = (loss * weights).sum() if reduction == "none" else loss
        (gradient,) = torch.autograd.grad(total, logits, create_graph=True)
        direction = float32(rows, classes)
        (second,) = torch.autograd.grad((gradient * direction).sum(), logits)
        cases.append(
            {
                "shape": [rows, classes],
                "logits": numbers(logits),
                "labels": labels.tolist(),
                "labelSmoothing": smoothing,
                "ignoreIndex": ignore,
                "reduction": reduction,
                "weights": numbers(weights),
                "direction": numbers(direction),
                "loss": numbers(loss),
                "gradient": numbers(gradient),
                "second": numbers(second),
            }
        )
    return cases


def nucleus(logits, temperature, top_k, top_p):
    """Softmax in which everything but the most likely is masked, top-k before top-p."""
    logits = logits / temperature
    if top_k is not None:
        kth = torch.topk(logits, min(top_k, logits.numel())).values[-1]
        logits = logits.masked_fill(logits < kth, -math.inf)
    if top_p is not None:
        ordered, index = torch.sort(logits, descending=True)
        before = torch.softmax(ordered, 0).cumsum(0) - torch.softmax(ordered, 0)
        logits = logits.scatter(0, index, ordered.masked_fill(before >= top_p, -math.inf))
    return torch.softmax(logits, 0)


def sampling():
    cases = []
    for temperature, top_k, top_p in [
        (1.0, None, None),
        (0.5, None, None),
        (2.0, 5, None),
        (1.0, None, 0.9),
        (0.7, None, 0.3),
        (1.3, 12, 0.8),
        (1.0, 3, 0.999),
        (1.0, 100, 1e-6),
    ]:
        logits = float32(20, scale=2.0)
        cases.append(
            {
                "logits": numbers(logits),
                "temperature": temperature,
                "topK": top_k,
                "topP": top_p,
                "probabilities": numbers(nucleus(logits, temperature, top_k, top_p)),
            }
        )
    return cases


def rates(make, steps, lr=0.1):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=lr)
    scheduler = make(optimizer)
    got = []
    for _ in range(steps):
        got.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return got


def schedules():
    s = torch.optim.lr_scheduler
    return {
        "step": rates(lambda o: s.StepLR(o, 4, 0.3), 13),
        "exponential": rates(lambda o: s.ExponentialLR(o, 0.9), 10),
        "cosine": rates(lambda o: s.CosineAnnealingLR(o, 10, 0.01), 11),
        "oneCycle": rates(lambda o: s.OneCycleLR(o, 0.1, total_steps=20), 20),
        "oneCycleOptions": rates(
            lambda o: s.OneCycleLR(o, 0.1, total_steps=17, pct_start=0.25, div_factor=10, final_div_factor=100), 17
        ),
        "warmUp": rates(lambda o: s.LinearLR(o, start_factor=1 / 5, end_factor=1.0, total_iters=4), 8),
    }


def trajectories():
    """Least squares with two tensors: the same loss for each optimizer, every weight after every step."""
    x = float32(6, 3)
    y = float32(6, 2)
    w0 = float32(3, 2)
    b0 = float32(2)
    cases = {}

    def run(name, make, max_norm=None, steps=12):
        w, b = w0.clone().requires_grad_(), b0.clone().requires_grad_()
        optimizer = make([w, b])
        path, losses, norms = [], [], []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = ((x @ w + b - y) ** 2).mean()
            loss.backward()
            norms.append(float(torch.nn.utils.clip_grad_norm_([w, b], max_norm or math.inf)))
            losses.append(float(loss))
            optimizer.step()
            path.append(numbers(b) + numbers(w))
        cases[name] = {"losses": losses, "norms": norms, "weights": path}

    o = torch.optim
    run("sgd", lambda p: o.SGD(p, lr=0.1))
    run("momentum", lambda p: o.SGD(p, lr=0.05, momentum=0.9))
    run("nesterov", lambda p: o.SGD(p, lr=0.05, momentum=0.9, nesterov=True))
    run("adam", lambda p: o.Adam(p, lr=0.05, betas=(0.8, 0.99), eps=1e-7))
    run("adamW", lambda p: o.AdamW(p, lr=0.05, betas=(0.9, 0.999), eps=1e-7, weight_decay=0.3))
    run("clipped", lambda p: o.SGD(p, lr=0.1), max_norm=0.25)
    return {"x": numbers(x), "y": numbers(y), "w": numbers(w0), "b": numbers(b0), "cases": cases}


def spread(x):
    return {"std": float(x.std()), "max": float(x.abs().max())}


def initializers():
    """The spread of large weights, in the layout of tfjs: [in, out] and [height, width, in, out]."""
    init = torch.nn.init
    dense = torch.empty(500, 300)  # PyTorch's [out, in]
    conv = torch.empty(128, 64, 3, 5)
    layers = {
        "xavierUniform dense": spread(init.xavier_uniform_(dense)),
        "xavierNormal dense": spread(init.xavier_normal_(dense)),
        "heUniform dense": spread(init.kaiming_uniform_(dense, nonlinearity="relu")),
        "heNormal dense": spread(init.kaiming_normal_(dense, nonlinearity="relu")),
        "xavierUniform conv": spread(init.xavier_uniform_(conv)),
        "heNormal conv": spread(init.kaiming_normal_(conv, nonlinearity="relu")),
        "heNormal conv fanOut": spread(init.kaiming_normal_(conv, mode="fan_out", nonlinearity="relu")),
        "torchUniform dense": spread(torch.nn.Linear(300, 500).weight),
        "torchUniform conv": spread(torch.nn.Conv2d(64, 128, (3, 5)).weight),
        "torchUniform lstm": spread(torch.nn.LSTM(100, 256).weight_ih_l0),
        "normalTensor embedding": spread(torch.nn.Embedding(2000, 100).weight),
    }
    return layers


print(
    json.dumps(
        {
            "source": {
                "tool": "PyTorch",
                "version": torch.__version__,
                "script": "scripts/golden/torch_golden.py",
                "seed": SEED,
            },
            "crossEntropy": cross_entropy(),
            "sampling": sampling(),
            "schedules": schedules(),
            "training": trajectories(),
            "initializers": initializers(),
        },
        indent=1,
    )
)
