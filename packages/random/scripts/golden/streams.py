"""Writes test/golden/streams.json: what the documentation of each draw says, in another language.

Integers of any size, the FNV-1a hash by its definition, and normal quantiles of 40 digits: nothing here is a
port of the TypeScript sources.

    python3 scripts/golden/streams.py > test/golden/streams.json
"""

import json
import platform

import mpmath

mpmath.mp.dps = 40
MASK = 2**32 - 1


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def words(seed, purpose, index, position, count):
    value = fnv1a(purpose.encode("utf-8"))
    tag = (value >> 54) ^ (value % 2**54)
    p0, p1, p2 = tag % 2**32, (tag >> 32) % 2**11, tag >> 43
    key = [seed % 2**32, (seed >> 32) + 2**21 * p1]
    drawn = []
    for block in range(position // 4, (position + count + 3) // 4):
        drawn += philox([block, index % 2**32, (index >> 32) + 2**21 * p2, p0], key)
    return drawn[position % 4 :][:count]


def quantile(numerator, bits):
    """The standard normal quantile at (numerator + 1/2) / 2^bits, correctly rounded."""
    p = (mpmath.mpf(numerator) + mpmath.mpf(1) / 2) / mpmath.mpf(2) ** bits
    return float(mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1))


def k53(first, second):
    return (first >> 5) * 2**26 + (second >> 6)


STREAMS = [
    (0, "", 0, 0),
    (0, "a", 0, 0),
    (1, "init", 0, 0),
    (2022, "pgd start", 17, 3),
    (2**32, "foobar", 2**32, 5),
    (2**53 - 1, "dropout", 2**53 - 1, 2**34 - 16),
    (7, "Größe 🎲", 1, 2**32 + 1),
]

# Both tails, both sides of the borders of the approximation (0.075, e^-25) and the middle.
NUMERATORS = sorted(
    {0, 1, 2, 7, 1000, 2**52 - 1, 2**52, 2**52 + 1}
    | {int(2**53 * p) for p in (0.0749999, 0.0750001, 1.3887e-11, 1.3888e-11, 1e-14, 1e-9, 1e-6, 1e-3, 0.02)}
    | {int(2**53 * i / 40) for i in range(1, 20)}
)
NUMERATORS += [2**53 - 1 - k for k in reversed(NUMERATORS)]

streams = []
for seed, purpose, index, position in STREAMS:
    w = words(seed, purpose, index, position, 16)
    pairs = list(zip(w[::2], w[1::2]))
    streams.append(
        {
            "seed": seed,
            "purpose": purpose,
            "index": index,
            "position": position,
            "uint32": w,
            "uniform": [k53(*pair) / 2**53 for pair in pairs],
            "uniformFloat32": [(word >> 8) / 2**24 for word in w],
            "normal": [quantile(k53(*pair), 53) for pair in pairs],
            "normalFloat32": [quantile(word, 32) for word in w],
        }
    )

print(
    json.dumps(
        {
            "source": {
                "tool": "Python with mpmath",
                "version": f"{platform.python_version()}, mpmath {mpmath.__version__}",
                "script": "scripts/golden/streams.py",
                "seed": None,
            },
            "fnv1a64": {text: f"{fnv1a(text.encode('utf-8')):016x}" for text in ["", "a", "foobar", "Größe 🎲"]},
            "quantile": [[str(k), quantile(k, 53)] for k in NUMERATORS],
            "streams": streams,
        },
        ensure_ascii=False,
        indent=1,
    )
)
