#!/usr/bin/env python3
"""Writes test/golden/odd-{zip,legacy}.pth: a checkpoint of a training with entries that are no tensors of numbers.

    apt-get install python3-torch && /usr/bin/python3 packages/torch-files/scripts/golden/odd_entries.py

"""
import argparse
import collections
import datetime
import decimal
import pathlib
import uuid

import numpy
import torch

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden"
weight = torch.arange(6, dtype=torch.float32).reshape(2, 3)
with_attributes = torch.tensor([9.0])
with_attributes.note = "kept by nobody"
ema = collections.OrderedDict(weight=weight + 100)
odd = {
    "weight": weight,
    "accuracy": numpy.float64(0.75),
    "count": numpy.int64(3),
    "array": numpy.arange(3),
    "bytes": b"\x00\xff",
    "bytearray": bytearray(b"\x01"),
    "complex": 1 + 2j,
    "date": datetime.date(2024, 2, 29),
    "moment": datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc),
    "took": datetime.timedelta(seconds=5),
    "path": pathlib.PurePosixPath("runs/1"),
    "arguments": argparse.Namespace(lr=0.1, betas=(0.9, 0.999)),
    "decimal": decimal.Decimal("1.5"),
    "id": uuid.UUID(int=5),
    "names": collections.defaultdict(list, a=[1]),
    "last": collections.deque([1, 2], maxlen=3),
    "set": {1},
    "frozen": frozenset([2]),
    "slice": slice(1, 2),
    "waves": torch.tensor([1 + 2j]),
    "coded": torch.quantize_per_tensor(weight, 0.5, 1, torch.qint8),
    "sparse": torch.eye(2).to_sparse(),
    "dtype": torch.complex64,
    "device": torch.device("cpu"),
    "state_dict_ema": ema,
    "nested": {"networks": {"generator.main": ema}, "history": [weight]},
    "bias": torch.tensor([7.0, 8.0]),
    "named": with_attributes,
}
torch.save(odd, FOLDER / "odd-zip.pth")
torch.save(odd, FOLDER / "odd-legacy.pth", _use_new_zipfile_serialization=False)
