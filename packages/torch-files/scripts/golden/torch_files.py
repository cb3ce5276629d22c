#!/usr/bin/env python3
"""Writes test/golden/*.pth and torch-files.json: small files of torch.save in both of its forms.

    apt-get install python3-torch && /usr/bin/python3 packages/torch-files/scripts/golden/torch_files.py

The JSON holds the bytes of every tensor, row-major, as hexadecimal digits. The legacy form names storages by their
addresses, so that its files differ from run to run in these names.
"""
import collections
import json
import math
import pathlib
import sys

import torch
from torch import nn

SEED = 0
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden"
DTYPES = {
    torch.int64: "I64", torch.float64: "F64", torch.float32: "F32", torch.int32: "I32", torch.bfloat16: "BF16",
    torch.float16: "F16", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}


def hexadecimal(tensor):
    """The bytes of a tensor in row-major order; numpy has no bfloat16, so that its bits are taken as int16."""
    tensor = tensor.detach().contiguous()
    return (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy().tobytes().hex()


def expected(tensors):
    return [
        {"name": name, "dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "bytes": hexadecimal(tensor)}
        for name, tensor in tensors.items()
        if isinstance(tensor, torch.Tensor)
    ]


torch.manual_seed(SEED)
base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
floats = torch.tensor([[1.5, -0.0, math.inf], [-math.inf, 1e-40, 3.14159]])
tensors = {
    "f64": torch.randn(2, 3, dtype=torch.float64),
    "f32": floats,
    "f16": floats.half(),
    "bf16": floats.bfloat16(),
    "i64": torch.tensor([-(2**63), 2**63 - 1, 2**53 + 1]),
    "i32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
    "i16": torch.tensor([-(2**15), 258], dtype=torch.int16),
    "i8": torch.tensor([-128, 127, 1], dtype=torch.int8),
    "u8": torch.tensor([0, 255, 128], dtype=torch.uint8),
    "bool": torch.tensor([[True, False, True], [False, False, True]]),
    "not a number": torch.tensor([0x7FC12345, -0x3FEDCC], dtype=torch.int32).view(torch.float32),
    "scalar": torch.tensor(math.pi),
    "empty": torch.zeros(0, 3),
    "empty inside": torch.zeros(2, 0, 3),
    "whole": base,
    "transposed": base.permute(2, 0, 1),
    "every other": base[:, ::2, 1::2],
    "offset": base[1],
    "scalar inside": base[1, 2, 3],
    "expanded": base[0, 0, :2].reshape(2, 1).expand(2, 3),
    "one wide": base.as_strided((1, 4), (17, 1), 3),
    "channels last": base.reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
    "half transposed": floats.half().t(),
    "long transposed": torch.tensor([[1, 2], [3, 4]]).t(),
    "parameter": nn.Parameter(torch.tensor([0.25, 0.5])),
    "__proto__": torch.tensor([4.5]),
    "näme \U0001f600": torch.tensor([5.5]),
    "no tensor": [1, "two", None, (True, 2.5, 2**70)],
}
network = nn.Sequential(
    collections.OrderedDict(
        features=nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 3)),
        classifier=nn.Linear(6, 5),
    )
)
network.features(torch.randn(4, 3, 5, 5))  # moves the statistics
optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
network.classifier(network.features(torch.randn(2, 3, 5, 5)).flatten(1)).square().sum().backward()
optimizer.step()
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
checkpoint = {
    "epoch": 3,
    "best": torch.tensor(0.75),
    "state_dict": nn.DataParallel(network).state_dict(),
    "optimizer": optimizer.state_dict(),
    "scheduler": scheduler.state_dict(),
}
saved = {
    "tensors": (tensors, tensors),
    "network": (network.state_dict(), network.state_dict()),
    "checkpoint": (checkpoint, checkpoint["state_dict"]),
}
images = torch.arange(2 * 3 * 5 * 5, dtype=torch.float32).mul(0.7).sin().reshape(2, 3, 5, 5)
network.eval()
with torch.no_grad():
    logits = network.classifier(network.features(images).flatten(1))
files = []
for name, (value, state) in saved.items():
    for form, arguments in (
        ("zip", {}),
        ("legacy", {"_use_new_zipfile_serialization": False}),
        ("zip-protocol-4", {"pickle_protocol": 4}),
    ):
        if form == "zip-protocol-4" and name != "tensors":
            continue
        file = f"{name}-{form}.pth"
        torch.save(value, FOLDER / file, **arguments)
        files.append({"file": file, "format": form.split("-")[0], "expected": name})
document = {
    "source": {
        "tool": "PyTorch",
        "version": torch.__version__,
        "python": sys.version.split()[0],
        "script": "packages/torch-files/scripts/golden/torch_files.py",
        "seed": SEED,
    },
    "files": files,
    "logits": {"images": "sin(0.7 i), [2, 3, 5, 5]", "values": logits.tolist()},
    "expected": {name: expected(state) for name, (_, state) in saved.items()},
}
(FOLDER / "torch-files.json").write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
