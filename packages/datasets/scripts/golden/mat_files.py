"""Writes MATLAB files of level 5 into test/golden, and mat-files.json with what stands in them.

    /usr/bin/python3 scripts/golden/mat_files.py

Most are scipy's. What scipy cannot write (big-endian files, and doubles that are stored as small integers as MATLAB
does) is put together here from the documentation of the format, and kept only if scipy reads it as it was meant.
"""

import io
import json
import os
import struct
import zlib

import numpy as np
import scipy
import scipy.io
import scipy.sparse

FOLDER = os.path.join(os.path.dirname(__file__), "../../test/golden")
HEADER = b"MATLAB 5.0 MAT-file, for the tests of gradlab".ljust(116) + bytes(8)
files = {}


def store(name, content, **variables):
    """Without the time that scipy puts into the header; the same bytes at every run."""
    if content is None:
        buffer = io.BytesIO()
        scipy.io.savemat(buffer, variables, do_compression="compressed" in name)
        content = HEADER[:116] + buffer.getvalue()[116:]
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(content)
    read = scipy.io.loadmat(io.BytesIO(content), chars_as_strings=False)
    files[name] = {}
    for key, value in read.items():
        if key.startswith("__"):
            continue
        entry = {"shape": list(value.shape)}
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
            # Texts, since JSON has no infinities and no 64-bit integers.
            entry["data"] = [repr(one.item()) for one in value.astype(float).flatten(order="F")]
        files[name][key] = entry


rng = np.random.default_rng(5)
x = np.round(rng.normal(size=(6, 2)), 3)
matrix = np.column_stack([x, np.round(1 + 2 * x[:, 0] - x[:, 1], 3)])

numbers = {
    "double": np.array([[1.5, -2.25, np.inf], [0.1, np.nan, 5e-324]]),
    "single": np.array([[0.1, -3.5]], dtype=np.float32),
    "int8": np.array([[-128, 127, 3]], dtype=np.int8),
    "uint8": np.array([[0, 255], [7, 8]], dtype=np.uint8),
    "int16": np.array([[-32768, 5]], dtype=np.int16),
    "uint16": np.array([[65535], [1]], dtype=np.uint16),
    "int32": np.array([[-(2**31), 2**31 - 1]], dtype=np.int32),
    "uint32": np.array([[2**32 - 1]], dtype=np.uint32),
    "int64": np.array([[-(2**53), 4]], dtype=np.int64),
    "uint64": np.array([[2**53, 1]], dtype=np.uint64),
    "logical": np.array([[True, False, True]]),
    "none": np.zeros((0, 3)),
    "cube": np.arange(24.0).reshape(2, 3, 4),
    "a_name_of_more_than_four_letters": np.array([[7.0]]),
}
store("numbers.mat", None, **numbers)
store("numbers-compressed.mat", None, **numbers)
store("matrix-compressed.mat", None, data=matrix)
store("apart-compressed.mat", None, X=matrix[:, :2], d=matrix[:, 2:])
store("across-compressed.mat", None, P=matrix[:, :2].T, T=matrix[:, 2:].T)
store(
    "others.mat",
    None,
    z=np.array([[1 + 2j, 3]]),
    c=np.array([1, "two"], dtype=object),
    s={"a": 1, "b": "text"},
    t="letters",
    p=scipy.sparse.csc_matrix(np.eye(3)),
    m=np.array([[1.0, 2.0]]),
)


def element(order, kind, data):
    """An element; a small one where it fits, as MATLAB does."""
    if 0 < len(data) <= 4:
        word = (len(data) << 16) | kind
        return struct.pack(order + "I", word) + data.ljust(4, b"\0")
    return struct.pack(order + "II", kind, len(data)) + data + bytes(-len(data) % 8)


def variable(order, name, array, stored, kind, code=6):
    flags = element(order, 6, struct.pack(order + "II", code, 0))
    dims = element(order, 5, struct.pack(order + f"{array.ndim}i", *array.shape))
    flat = array.flatten(order="F").astype(np.dtype(stored).newbyteorder(order))
    body = flags + dims + element(order, 1, name.encode()) + element(order, kind, flat.tobytes())
    return struct.pack(order + "II", 14, len(body)) + body


def compressed(order, content):
    packed = zlib.compress(content)
    return struct.pack(order + "II", 15, len(packed)) + packed


for order, mark, name in ((">", b"MI", "big-endian"), ("<", b"IM", "little-endian")):
    header = HEADER + struct.pack(order + "H", 0x0100) + mark
    parts = [
        variable(order, "A", matrix, "f8", 9),
        compressed(order, variable(order, "whole", np.array([[1, 2, 3], [4, 5, 250]]), "u1", 2)),
        variable(order, "minus", np.array([[-1, -300]]), "i2", 3),
        compressed(order, variable(order, "i", np.array([[-(2**40)]]), "i8", 12, 14)),
        variable(order, "f", np.array([[0.5, 0.25]]), "f4", 7),
    ]
    store(f"{name}-by-hand.mat", header + b"".join(parts))

buffer = io.BytesIO()
scipy.io.savemat(buffer, {"A": matrix}, format="4")
with open(os.path.join(FOLDER, "level-4.mat"), "wb") as file:
    file.write(buffer.getvalue())

with open(os.path.join(FOLDER, "mat-files.json"), "w") as file:
    source = {"tool": "scipy", "version": scipy.__version__, "script": "scripts/golden/mat_files.py", "seed": 5}
    json.dump({"source": source, "files": files}, file, indent=1)
    file.write("\n")
