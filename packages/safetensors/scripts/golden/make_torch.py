#!/usr/bin/env python3
"""Writes test/golden/torch.safetensors and torch.json: tensors of every dtype, made by PyTorch.

    apt-get install python3-torch && /usr/bin/python3 packages/safetensors/scripts/golden/make_torch.py

The container is written by `write_file` below, from the description of the format and not from this package.
"""
import json
import math
import pathlib
import struct
import sys

import numpy
import torch

SEED = 0
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden"
DTYPES = {  # in the order in which the reference writer lays tensors out
    torch.int64: "I64", torch.float64: "F64", torch.float32: "F32", torch.int32: "I32", torch.bfloat16: "BF16",
    torch.float16: "F16", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}
ORDER = list(DTYPES.values())


def raw_bytes(tensor):
    """The bytes of PyTorch's own storage; numpy has no bfloat16, so that its bits are taken as int16."""
    tensor = tensor.contiguous()
    return (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy().tobytes()


def write_file(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name in sorted(tensors, key=lambda name: (ORDER.index(DTYPES[tensors[name].dtype]), name)):
        tensor, begin = tensors[name], len(data)
        data += raw_bytes(tensor)
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def plain(value):
    """A value that JSON holds exactly: integers as strings (2^63), and the three floats that JSON lacks."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return str(value)
    return value if math.isfinite(value) else str(value)


def conversion_inputs():
    """Float32 values on and next to what rounding to 16 bits can get wrong."""
    random = torch.randn(500) * 2.0 ** torch.randint(-30, 20, (500,)).float()
    f16 = torch.randint(0, 0x7C00, (150,), dtype=torch.int16)
    bf16 = torch.randint(0, 0x7F80, (150,), dtype=torch.int16)
    ties = [(f16.view(torch.float16).double() + (f16 + 1).view(torch.float16).double()).div(2).float()]
    ties.append((bf16.int() * 65536 + 32768).view(torch.float32))
    near = [(tie.view(torch.int32) + step).view(torch.float32) for tie in ties for step in (-1, 0, 1)]
    special = torch.tensor(
        [0.0, -0.0, math.inf, -math.inf, 65504, 65519.996, 65520, -65520, 2.0**-14, 2.0**-24, 2.0**-25, -(2.0**-25),
         3.4028234663852886e38, 1.1754943508222875e-38, 1.401298464324817e-45]
    )
    return torch.cat([random, *near, special])


torch.manual_seed(SEED)
floats = torch.cat([torch.randn(8), torch.tensor([0.0, -0.0, math.inf, -math.inf])]).reshape(3, 4)
inputs = conversion_inputs()
tensors = {
    "f64": torch.randn(2, 3, dtype=torch.float64),
    "f32": floats,
    "f16": floats.half(),
    "bf16": floats.bfloat16(),
    "i64": torch.tensor([[-(2**63), 2**63 - 1], [2**53 + 1, -1]]),
    "i32": torch.tensor([-(2**31), 2**31 - 1, 0], dtype=torch.int32),
    "i16": torch.tensor([-(2**15), 2**15 - 1, 258], dtype=torch.int16),
    "i8": torch.tensor([-128, 127, 1], dtype=torch.int8),
    "u8": torch.tensor([0, 255, 128], dtype=torch.uint8),
    "bool": torch.tensor([[True, False, True], [False, False, True]]),
    "scalar": torch.tensor(math.pi),
    "empty": torch.zeros(0, 3),
    "not a number": torch.tensor([math.nan]),
    "transposed": torch.arange(6, dtype=torch.float32).reshape(2, 3).t(),
    'quote " \\ tab \t': torch.tensor([1.5]),
    "\uff21 before": torch.tensor([2.5]),
    "\U0001f600 after": torch.tensor([3.5]),
    "__proto__": torch.tensor([4.5]),
    "inputs": inputs,
    "inputs as f16": inputs.half(),
    "inputs as bf16": inputs.bfloat16(),
}
write_file(FOLDER / "torch.safetensors", tensors, {"format": "pt", "made by": "make_torch.py"})
expected = [
    {"name": name, "dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape)}
    | ({} if name.startswith("inputs") else {"values": [plain(value) for value in tensor.flatten().tolist()]})
    for name, tensor in tensors.items()
]
source = {
    "tool": "PyTorch",
    "version": torch.__version__,
    "numpy": numpy.__version__,
    "python": sys.version.split()[0],
    "script": "packages/safetensors/scripts/golden/make_torch.py",
    "seed": SEED,
}
document = {"source": source, "file": "torch.safetensors", "tensors": expected}
(FOLDER / "torch.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
