#!/usr/bin/env python3
"""Writes test/golden/torch-states.json: the state_dicts of torchvision's networks, and what belongs to them.

    apt-get install python3-torchvision && /usr/bin/python3 packages/classic-cnns/scripts/golden/torch_states.py

Of a state_dict: the number of its tensors, and the SHA-256 of its lines `name dtype [size,size,…]`, one per tensor, in
its order. With a folder as argument, instead: writes there `<i>.pth` for case i of logits.json, by torch.save, with the
weights in closed form, of both forms in turn; with numbers behind the folder, these cases only.
"""
import hashlib
import json
import pathlib
import sys
import warnings

import torch
import torchvision
from torchvision import models

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden"
NETWORKS = {
    "alexnet": models.alexnet,
    **{f"vgg{depth}": getattr(models, f"vgg{depth}") for depth in (11, 13, 16, 19)},
    **{f"vgg{depth}-bn": getattr(models, f"vgg{depth}_bn") for depth in (11, 13, 16, 19)},
    "googlenet": lambda **options: models.googlenet(aux_logits=False, init_weights=False, **options),
    **{f"resnet{depth}": getattr(models, f"resnet{depth}") for depth in (18, 34, 50, 101, 152)},
    "resnext50": models.resnext50_32x4d,
    "densenet121": models.densenet121,
    "squeezenet1-0": models.squeezenet1_0,
    "squeezenet1-1": models.squeezenet1_1,
    "mobilenet-v2": models.mobilenet_v2,
}


def lines(model):
    for name, tensor in model.state_dict().items():
        yield f"{name} {str(tensor.dtype)[6:]} [{','.join(map(str, tensor.shape))}]\n"


def listing(name, classes):
    text = "".join(lines(NETWORKS[name](num_classes=classes)))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"name": name, "classes": classes, "count": text.count("\n"), "sha256": digest}


def save_cases(folder, numbers):
    from closed_form_weights import fill
    from networks import CASES, SLOW

    for i, (_, _, make, _) in enumerate([*CASES, *SLOW]):
        if not numbers or i in numbers:
            legacy = i % 2 == 1  # both forms
            torch.save(fill(make()).state_dict(), folder / f"{i}.pth", _use_new_zipfile_serialization=not legacy)


if len(sys.argv) > 1:
    save_cases(pathlib.Path(sys.argv[1]), [int(number) for number in sys.argv[2:]])
else:
    with_auxiliary = models.googlenet(num_classes=10, aux_logits=True, init_weights=False, transform_input=True)
    images = torch.arange(3 * 2 * 3, dtype=torch.float32).reshape(1, 3, 2, 3).mul(0.25).sub(2)
    document = {
        "source": {
            "tool": "PyTorch, torchvision",
            "version": f"{torch.__version__}, {torchvision.__version__}",
            "script": "packages/classic-cnns/scripts/golden/torch_states.py",
            "seed": "none",
        },
        "states": [listing(name, classes) for name in NETWORKS for classes in (1000, 7)],
        "auxiliary": [
            {"name": name, "shape": list(tensor.shape)}
            for name, tensor in with_auxiliary.state_dict().items()
            if name.startswith("aux")
        ],
        "transformInput": {
            "images": "0.25 i - 2, [1, 3, 2, 3]",
            "values": with_auxiliary._transform_input(images).flatten().tolist(),
        },
    }
    (FOLDER / "torch-states.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
