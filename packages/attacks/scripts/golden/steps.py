"""Makes test/golden/steps.json: every point that attacks of foolbox and torchattacks ask a small network about.

Run with Debian's python3-torch and python3-scipy, and the wheels of foolbox 3.3.4, eagerpy 0.30.0 and torchattacks 3.5.1
unpacked in a folder:

    pip download --no-deps -d wheels foolbox==3.3.4 eagerpy==0.30.0 torchattacks==3.5.1
    for wheel in wheels/*.whl; do unzip -qo $wheel -d wheels; done
    PYTHONPATH=wheels /usr/bin/python3 scripts/golden/steps.py
"""
import json
import math
import os
import sys
import types

# foolbox's zoo, which is not used here, imports it.
sys.modules.setdefault("git", types.SimpleNamespace(Repo=None, GitCommandError=Exception))

import foolbox
import torch
import torchattacks
from torch import nn

SIZE, CHANNELS, CLASSES = 6, 4, 4
GOLDEN = os.path.join(os.path.dirname(__file__), "../../test/golden/steps.json")


class Network(nn.Module):
    """A convolution with tanh and a dense layer on maps in the order height, width, channels."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.kernel = torch.randn(CHANNELS, 1, 3, 3, generator=generator) * 2.5
        self.bias = torch.randn(CHANNELS, generator=generator) * 0.1
        self.dense = torch.randn(CLASSES, SIZE * SIZE * CHANNELS, generator=generator) * 0.25
        self.unused = nn.Parameter(torch.zeros(1))  # foolbox asks the first parameter for its device
        self.trace = None

    def forward(self, x):
        if self.trace is not None:
            self.trace.extend(x.detach().reshape(len(x), -1).tolist())
        maps = torch.tanh(nn.functional.conv2d(x, self.kernel, self.bias, padding=1))
        return maps.permute(0, 2, 3, 1).flatten(1) @ self.dense.T


def images():
    generator = torch.Generator().manual_seed(11)
    return torch.rand(3, 1, SIZE, SIZE, generator=generator)


network = Network().eval()
x = images()
labels = network(x).argmax(1)


def traced(run, image, label):
    network.trace = []
    run(image, label)
    points, network.trace = network.trace, None
    # The same point asked about several times is one.
    kept = [points[0]]
    for point in points[1:]:
        if point != kept[-1]:
            kept.append(point)
    return kept


def foolbox_run(attack, targeted=False):
    def run(image, label):
        model = foolbox.PyTorchModel(network, bounds=(0, 1), device="cpu")
        if targeted:
            criterion = foolbox.criteria.TargetedMisclassification((label + 1) % CLASSES)
        else:
            criterion = foolbox.criteria.Misclassification(label)
        attack.run(model, image, criterion)

    return run


def torchattacks_run(make):
    def run(image, label):
        attack = make()
        attack.set_model_training_mode(False, False, False)
        try:
            attack(image, label)
        except UnboundLocalError:
            # FAB in L1 of torchattacks 3.5.1 stumbles over its result, after all its steps.
            pass

    return run


CASES = {
    "fgsm": torchattacks_run(lambda: torchattacks.FGSM(network, eps=0.1)),
    "bim": torchattacks_run(lambda: torchattacks.BIM(network, eps=0.1, alpha=0.02, steps=6)),
    "pgd": torchattacks_run(lambda: torchattacks.PGD(network, eps=0.1, alpha=0.03, steps=8, random_start=True)),
    "pgd-l2": torchattacks_run(lambda: torchattacks.PGDL2(network, eps=0.5, alpha=0.2, steps=8, random_start=False)),
    "mi-fgsm": torchattacks_run(lambda: torchattacks.MIFGSM(network, eps=0.1, alpha=0.02, steps=8, decay=0.9)),
    "apgd-ce": torchattacks_run(lambda: torchattacks.APGD(network, norm="Linf", eps=0.15, steps=25, loss="ce")),
    "apgd-ce-l2": torchattacks_run(lambda: torchattacks.APGD(network, norm="L2", eps=0.6, steps=18, loss="ce")),
    "apgd-dlr": torchattacks_run(lambda: torchattacks.APGD(network, norm="L2", eps=0.1, steps=14, loss="dlr")),
    "fab": torchattacks_run(lambda: torchattacks.FAB(network, norm="Linf", steps=8, n_classes=CLASSES)),
    "fab-l2": torchattacks_run(lambda: torchattacks.FAB(network, norm="L2", steps=8, n_classes=CLASSES)),
    "fab-l1": torchattacks_run(lambda: torchattacks.FAB(network, norm="L1", steps=8, n_classes=CLASSES)),
    "deepfool": foolbox_run(foolbox.attacks.L2DeepFoolAttack(steps=10)),
    "deepfool-linf": foolbox_run(foolbox.attacks.LinfDeepFoolAttack(steps=10)),
    "cw": foolbox_run(
        foolbox.attacks.L2CarliniWagnerAttack(binary_search_steps=4, steps=12, stepsize=0.05, initial_const=0.1, abort_early=False)
    ),
    "cw-targeted": foolbox_run(
        foolbox.attacks.L2CarliniWagnerAttack(binary_search_steps=4, steps=12, stepsize=0.05, initial_const=1), True
    ),
    "ead": foolbox_run(
        foolbox.attacks.EADAttack(
            binary_search_steps=3, steps=10, initial_stepsize=0.05, initial_const=1, regularization=0.01, abort_early=False
        )
    ),
    "ddn": foolbox_run(foolbox.attacks.DDNAttack(steps=15, init_epsilon=0.5)),
}


def rounded(values):
    return [float(f"{value:.8g}") for value in values]


def main():
    cases = {}
    for name, run in CASES.items():
        cases[name] = []
        for i in range(len(x)):
            torch.manual_seed(i)
            points = traced(run, x[i : i + 1].clone(), labels[i : i + 1].clone())
            cases[name].append([rounded(point) for point in points])
    golden = {
        "source": {
            "tool": f"torch {torch.__version__}, foolbox {foolbox.__version__}, torchattacks {torchattacks.__version__}",
            "script": "packages/attacks/scripts/golden/steps.py",
        },
        # [height, width, in, out], [out], [inputs, classes].
        "kernel": rounded(network.kernel.permute(2, 3, 1, 0).flatten().tolist()),
        "bias": rounded(network.bias.tolist()),
        "dense": rounded(network.dense.T.flatten().tolist()),
        "images": [rounded(image) for image in x.flatten(1).tolist()],
        "labels": labels.tolist(),
        "logits": [rounded(row) for row in network(x).tolist()],
        "points": cases,
    }
    with open(GOLDEN, "w") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")
    for name, samples in cases.items():
        print(name, [len(points) for points in samples])


main()
