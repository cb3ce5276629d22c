"""Makes test/golden/logits.json and test/golden/training.json: networks with weights in closed form.

Run with Debian's python3-torch and python3-torchvision: /usr/bin/python3 scripts/golden/networks.py
"""
import json
import os
import warnings

import torch
import torchvision
from torch import nn
from torchvision import models
from torchvision.models.vgg import VGG, make_layers

from closed_form_weights import fill, images, unit

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
GOLDEN = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden")
SOURCE = {
    "tool": "PyTorch, torchvision",
    "version": f"{torch.__version__}, {torchvision.__version__}",
    "script": "scripts/golden/networks.py",
    "seed": "none: weights and images in closed form",
}


def lenet(classes: int, act=nn.Sigmoid, pool=nn.AvgPool2d, width=(6, 16), channels=1, flat=400):
    a, b = width
    return nn.Sequential(
        nn.Conv2d(channels, a, 5, padding=2), act(), pool(2), nn.Conv2d(a, b, 5), act(), pool(2), nn.Flatten(),
        nn.Linear(flat, 120), act(), nn.Linear(120, 84), act(), nn.Linear(84, classes))


def small_cnn(classes: int):
    return nn.Sequential(
        nn.Conv2d(3, 16, 5, padding=2, bias=False), nn.ReLU(), nn.MaxPool2d(4, 2),
        nn.Conv2d(16, 16, 3, padding=2, bias=False), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(16, 32, 7, padding=2, bias=False), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Flatten(),
        nn.Linear(288, 32), nn.ReLU(), nn.Linear(32, classes), nn.ReLU())


def nin(classes: int):
    def block(i, o, k, s, p):
        return [nn.Conv2d(i, o, k, s, p), nn.ReLU(), nn.Conv2d(o, o, 1), nn.ReLU(), nn.Conv2d(o, o, 1), nn.ReLU()]

    return nn.Sequential(
        *block(3, 96, 11, 4, 0), nn.MaxPool2d(3, 2), *block(96, 256, 5, 1, 2), nn.MaxPool2d(3, 2),
        *block(256, 384, 3, 1, 1), nn.MaxPool2d(3, 2), *block(384, classes, 3, 1, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten())


def alexnet_227(classes: int, width):
    a, b, c, d, e, f, g = width
    def lrn():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)  # here alpha is divided by the size

    return nn.Sequential(
        nn.Conv2d(3, a, 11, 4), nn.ReLU(), lrn(), nn.MaxPool2d(3, 2),
        nn.Conv2d(a, b, 5, padding=2, groups=2), nn.ReLU(), lrn(), nn.MaxPool2d(3, 2),
        nn.Conv2d(b, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, d, 3, padding=1, groups=2), nn.ReLU(),
        nn.Conv2d(d, e, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(e, f, 6), nn.ReLU(), nn.Conv2d(f, g, 1), nn.ReLU(), nn.Conv2d(g, classes, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten())


def alexnet(classes: int, units=4096):
    model = models.alexnet(num_classes=classes)
    model.classifier[1] = nn.Linear(9216, units)
    model.classifier[4] = nn.Linear(units, units)
    model.classifier[6] = nn.Linear(units, classes)
    return model


VGGS = {"11": "A", "13": "B", "16": "D", "19": "E"}


def vgg(depth: str, normalized: bool, width=None):
    cfg = models.vgg.cfgs[VGGS[depth]]
    if width is None:
        return VGG(make_layers(cfg, normalized), num_classes=10, init_weights=False)
    stages, stage = [], 0
    for entry in cfg:
        stages.append("M" if entry == "M" else width[stage])
        stage += entry == "M"
    model = VGG(make_layers(stages, normalized), num_classes=10, init_weights=False)
    a, b, c = width[4] * 49, width[5], width[6]
    model.classifier = nn.Sequential(
        nn.Linear(a, b), nn.ReLU(), nn.Dropout(), nn.Linear(b, c), nn.ReLU(), nn.Dropout(), nn.Linear(c, 10))
    return model


class NarrowResnet18(models.ResNet):
    def __init__(self, width: int, classes: int):
        block = models.resnet.BasicBlock
        super().__init__(block, [2, 2, 2, 2], num_classes=classes)
        self.inplanes = width
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = self._make_layer(block, width, 2)
        self.layer2 = self._make_layer(block, 2 * width, 2, stride=2)
        self.layer3 = self._make_layer(block, 4 * width, 2, stride=2)
        self.layer4 = self._make_layer(block, 8 * width, 2, stride=2)
        self.fc = nn.Linear(8 * width, classes)


NARROW = [8, 16, 24, 32, 32, 64, 48]
# name, options of `network`, model, batch; height and width differ, so that none stands for the other
CASES = [
    ("lenet", {"inputSize": [28, 28]}, lambda: lenet(10), 2),
    ("lenet-relu", {"inputSize": [28, 32]}, lambda: lenet(10, nn.ReLU, nn.MaxPool2d, flat=16 * 5 * 6), 2),
    ("small-cnn", {"inputSize": [32, 32]}, lambda: small_cnn(10), 2),
    ("nin", {"inputSize": [96, 112]}, lambda: nin(10), 1),
    ("alexnet", {"inputSize": [64, 96], "width": [64, 192, 384, 256, 256, 256, 256]}, lambda: alexnet(10, 256), 1),
    ("alexnet-227", {"inputSize": [227, 259], "width": [16, 32, 48, 48, 32, 64, 64]},
     lambda: alexnet_227(10, [16, 32, 48, 48, 32, 64, 64]), 1),
    *[(f"vgg{depth}{'-bn' if bn else ''}", {"inputSize": [64, 96], "width": NARROW},
       lambda depth=depth, bn=bn: vgg(depth, bn, NARROW), 2) for bn in (False, True) for depth in VGGS],
    ("googlenet", {"inputSize": [64, 49]},
     lambda: models.googlenet(num_classes=10, aux_logits=False, init_weights=False), 1),
    ("resnet18", {"inputSize": [64, 49]}, lambda: models.resnet18(num_classes=10), 1),
    ("resnet50", {"inputSize": [33, 64]}, lambda: models.resnet50(num_classes=10), 1),
    ("resnext50", {"inputSize": [33, 64]}, lambda: models.resnext50_32x4d(num_classes=10), 1),
    ("densenet121", {"inputSize": [32, 64]}, lambda: models.densenet121(num_classes=10), 1),
    ("squeezenet1-0", {"inputSize": [48, 64]}, lambda: models.squeezenet1_0(num_classes=10), 1),
    ("squeezenet1-1", {"inputSize": [48, 64]}, lambda: models.squeezenet1_1(num_classes=10), 1),
    ("mobilenet-v2", {"inputSize": [64, 49]}, lambda: models.mobilenet_v2(num_classes=10), 1),
    ("mobilenet-v2", {"inputSize": [64, 49], "width": 0.35},
     lambda: models.mobilenet_v2(num_classes=10, width_mult=0.35), 1),
]
SLOW = [
    ("alexnet", {"inputSize": [224, 224]}, lambda: alexnet(10), 1),
    ("alexnet-227", {"inputSize": [227, 227]},
     lambda: alexnet_227(10, [96, 256, 384, 384, 256, 4096, 4096]), 1),
    *[(f"vgg{depth}{'-bn' if bn else ''}", {"inputSize": [64, 64]},
       lambda depth=depth, bn=bn: vgg(depth, bn), 1) for bn in (False, True) for depth in VGGS],
    ("resnet34", {"inputSize": [64, 64]}, lambda: models.resnet34(num_classes=10), 1),
    ("resnet50", {"inputSize": [224, 224]}, lambda: models.resnet50(num_classes=10), 1),
    ("resnet101", {"inputSize": [64, 64]}, lambda: models.resnet101(num_classes=10), 1),
    ("resnet152", {"inputSize": [64, 64]}, lambda: models.resnet152(num_classes=10), 1),
    ("googlenet", {"inputSize": [224, 224]},
     lambda: models.googlenet(num_classes=10, aux_logits=False, init_weights=False), 1),
]


def logits(case, slow):
    name, options, make, batch = case
    model = fill(make()).eval()
    channels = next(p for p in model.parameters()).shape[1]
    with torch.no_grad():
        out = model(images(batch, channels, *options["inputSize"]))
    print(name, options, float(out.abs().max()), float((out[0] - out[-1]).abs().max()))
    return {"name": name, "options": {**options, "channels": channels, "classes": 10}, "batch": batch, "slow": slow,
            "logits": out.tolist()}


# One pass in training mode, without dropout: what the loss, its gradients and the running statistics are.
TRAINING = [
    ("small-cnn", {"inputSize": [32, 32]}, lambda: small_cnn(10), 2),
    ("resnet18", {"inputSize": [33, 48], "width": [8, 16, 32, 64]}, lambda: NarrowResnet18(8, 10), 3),
    ("densenet121", {"inputSize": [32, 49], "width": 0.25},
     lambda: models.DenseNet(growth_rate=8, block_config=(6, 12, 24, 16), num_init_features=16, num_classes=10), 4),
    ("mobilenet-v2", {"inputSize": [64, 49], "width": 0.35},
     lambda: models.mobilenet_v2(num_classes=10, width_mult=0.35, dropout=0), 4),
    ("alexnet-227", {"inputSize": [227, 227], "width": [8, 16, 24, 24, 16, 32, 32]},
     lambda: alexnet_227(10, [8, 16, 24, 24, 16, 32, 32]), 2),
]


GRADIENT_STREAM = 200_000


def seen(tensor, t):
    """A tensor as a few of its elements, evenly from the first to the last in PyTorch's layout, the norm of all, and
    their sum with random weights, in which every element counts at its own place."""
    flat = tensor.double().flatten()
    n = flat.numel()
    count = min(n, 12)
    places = [i * (n - 1) // max(count - 1, 1) for i in range(count)]
    weights = torch.from_numpy(unit(n, GRADIENT_STREAM + t))
    digits = [float(f"{v:.7g}") for v in flat[places].tolist()]
    return {"elements": digits, "norm": float(f"{flat.norm():.9g}"), "weighted": float(f"{flat @ weights:.9g}")}


def training(case):
    name, options, make, batch = case
    model = fill(make()).train()
    channels = next(p for p in model.parameters()).shape[1]
    out = model(images(batch, channels, *options["inputSize"]))
    labels = torch.tensor([(3 * i + 1) % 10 for i in range(batch)])
    loss = nn.functional.cross_entropy(out, labels)
    loss.backward()
    print(name, float(loss))
    state = model.state_dict()
    return {"name": name, "options": {**options, "channels": channels, "classes": 10}, "batch": batch,
            "labels": labels.tolist(), "loss": float(loss), "logits": out.tolist(),
            "gradients": [seen(p.grad, t) for t, p in enumerate(model.parameters())],
            "statistics": [seen(v, t) for t, v in enumerate(v for k, v in state.items() if "running_" in k)]}


def store(file, content):
    with open(os.path.join(GOLDEN, file), "w") as out:
        json.dump({"source": SOURCE, **content}, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    torch.manual_seed(0)
    store("logits.json", {"cases": [*[logits(c, False) for c in CASES], *[logits(c, True) for c in SLOW]]})
    store("training.json", {"cases": [training(c) for c in TRAINING]})
