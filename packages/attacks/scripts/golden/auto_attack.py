"""Makes test/golden/auto-attack.json: the points that APGD in L1 and Square of AutoAttack's authors ask a network about.

Run with Debian's python3-torch, and the wheel of pyautoattack 0.2.0 (their program as a package) unpacked in a folder:

    pip download --no-deps -d wheels pyautoattack==0.2.0
    for wheel in wheels/*.whl; do unzip -qo $wheel -d wheels; done
    PYTHONPATH=wheels /usr/bin/python3 scripts/golden/auto_attack.py
"""
import json
import os
import sys
import types

# Imported by parts that are not used here.
sys.modules.setdefault("tensorflow", types.SimpleNamespace())
package = types.ModuleType("pyautoattack")
package.__path__ = [os.path.join(folder, "pyautoattack") for folder in sys.path if os.path.isdir(os.path.join(folder, "pyautoattack"))]
sys.modules["pyautoattack"] = package

import torch
from pyautoattack import autopgd_base
from pyautoattack.square import SquareAttack
from torch import nn

SIZE, INPUTS, CHANNELS, CLASSES = 10, 2, 3, 4
GOLDEN = os.path.join(os.path.dirname(__file__), "../../test/golden/auto-attack.json")

# Pixels that come back to where they were are off by a rounding error here, and then count as changed.
autopgd_base.L0_norm = lambda x: (x.abs() > 1e-6).flatten(1).sum(1)


class Network(nn.Module):
    """A convolution with tanh and a dense layer on maps in the order height, width, channels."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(7)
        self.kernel = torch.randn(CHANNELS, INPUTS, 3, 3, generator=generator) * 1.5
        self.bias = torch.randn(CHANNELS, generator=generator) * 0.1
        self.dense = torch.randn(CLASSES, SIZE * SIZE * CHANNELS, generator=generator) * 0.25
        self.trace = []

    def forward(self, x):
        self.trace.extend(channels_last(x))
        maps = torch.tanh(nn.functional.conv2d(x, self.kernel, self.bias, padding=1))
        return maps.permute(0, 2, 3, 1).flatten(1) @ self.dense.T


def channels_last(x):
    return x.detach().permute(0, 2, 3, 1).flatten(1).tolist()


network = Network().eval()
x = torch.rand(2, INPUTS, SIZE, SIZE, generator=torch.Generator().manual_seed(13))
with torch.no_grad():
    clean = network(x)
labels = clean.argmax(1)


class RecordedSquare(SquareAttack):
    """Keeps what is drawn, in the order in which it is used: places, the way a bump lies, and signs as 0 or 1."""

    def random_int(self, low=0, high=1, shape=[1]):
        value = super().random_int(low, high, shape)
        if high > low:
            self.drawn.append(int(value))
        return value

    def random_choice(self, shape):
        signs = super().random_choice(shape)
        # Stripes come with the channels last.
        ordered = signs[0].permute(1, 2, 0) if len(shape) == 4 else signs
        self.drawn.extend(int(sign > 0) for sign in ordered.flatten().tolist())
        return signs

    def eta(self, s):
        state = torch.get_rng_state()
        self.drawn.append(torch.rand([1]).item())
        torch.set_rng_state(state)
        return super().eta(s)


def without_repeats(points):
    """The same point asked about several times, up to rounding errors, is one."""
    kept = points[:1]
    for point in points[1:]:
        if max(abs(a - b) for a, b in zip(point, kept[-1])) > 1e-6:
            kept.append(point)
    return kept


def square(norm, eps, p_init, queries):
    cases = []
    for i in range(len(x)):
        # As the ensemble runs it: squares shrink by the number of queries.
        attack = RecordedSquare(
            network, norm=norm, eps=eps, n_queries=queries, p_init=p_init, seed=i, device="cpu", resc_schedule=False
        )
        attack.drawn = []
        torch.manual_seed(i)
        image, label = x[i : i + 1].clone(), labels[i : i + 1].clone()
        attack.init_hyperparam(image)
        network.trace = []
        with torch.no_grad():
            attack.attack_single_run(image, label)
        assert len(network.trace) == queries + 1, "the label has fallen: a smaller eps, please"
        cases.append({"points": without_repeats(network.trace), "drawn": attack.drawn})
    return {"norm": norm.lower(), "epsilon": eps, "share": p_init, "queries": queries + 1, "samples": cases}


def apgd(loss, eps, steps):
    cases = []
    for i in range(len(x)):
        attack = autopgd_base.APGDAttack(
            network, n_iter=steps, norm="L1", eps=eps, n_restarts=1, seed=i, loss=loss, use_largereps=True, device="cpu"
        )
        network.trace = []
        attack.perturb(x[i : i + 1].clone(), labels[i : i + 1].clone())
        # Theirs begins with the image itself.
        cases.append({"points": without_repeats(network.trace)[1:]})
    return {"norm": "l1", "epsilon": eps, "loss": loss, "steps": steps, "samples": cases}


def rounded(values):
    return [float(f"{value:.7g}") for value in values]


def main():
    square_cases = [
        square("L1", 0.7, 0.8, 10),
        square("L1", 0.7, 0.1, 10),
        square("L2", 0.3, 0.8, 10),
        square("L2", 0.3, 0.1, 10),
        square("Linf", 0.02, 0.3, 10),
    ]
    apgd_cases = [apgd("ce", 1.0, 40), apgd("dlr", 1.0, 20)]
    for case in square_cases + apgd_cases:
        print(case["norm"], [len(sample["points"]) for sample in case["samples"]])
        for sample in case["samples"]:
            sample["points"] = [rounded(point) for point in sample["points"]]
            if "drawn" in sample:
                sample["drawn"] = rounded(sample["drawn"])
    golden = {
        "source": {
            "tool": f"torch {torch.__version__}, pyautoattack 0.2.0",
            "script": "packages/attacks/scripts/golden/auto_attack.py",
        },
        # [height, width, in, out], [out], [inputs, classes].
        "kernel": rounded(network.kernel.permute(2, 3, 1, 0).flatten().tolist()),
        "bias": rounded(network.bias.tolist()),
        "dense": rounded(network.dense.T.flatten().tolist()),
        "images": [rounded(image) for image in channels_last(x)],
        "labels": labels.tolist(),
        "logits": [rounded(row) for row in clean.tolist()],
        "square": square_cases,
        "apgd": apgd_cases,
    }
    with open(GOLDEN, "w") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")


main()
