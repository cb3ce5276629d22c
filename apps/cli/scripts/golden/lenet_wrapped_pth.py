#!/usr/bin/env python3
"""Writes test/golden/lenet-wrapped.pth: the weights of lenet.pth as trainings keep them, in a wrapper of another name.

    apt-get install python3-torch && /usr/bin/python3 apps/cli/scripts/golden/lenet_wrapped_pth.py

The averaged weights are zeros but for the bias of the last class, which is log(17): its share is 17/20.
"""
import datetime
import math
import pathlib

import numpy
import torch

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden"
state = torch.load(FOLDER / "lenet.pth")
averaged = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
last = [name for name in state if name.endswith("bias")][-1]
averaged[last][-1] = math.log(17)
torch.save(
    {
        "networks": {
            "classifier": {f"net.{name}": tensor for name, tensor in state.items()}
            | {"criterion.weight": torch.ones(4), "best": numpy.float64(0.5), "saved": datetime.date(2024, 2, 29)},
        },
        "ema": {"module": averaged | {"n_averaged": torch.tensor(5)}},
    },
    FOLDER / "lenet-wrapped.pth",
)
