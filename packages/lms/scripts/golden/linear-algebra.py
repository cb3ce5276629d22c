"""Writes test/golden/linear-algebra.json: what LAPACK (through numpy) and 60-digit arithmetic (mpmath) say.

    /usr/bin/python3 scripts/golden/linear-algebra.py > test/golden/linear-algebra.json
"""

import json
import platform

import mpmath
import numpy as np

mpmath.mp.dps = 60
rng = np.random.default_rng(5)


def cases():
    for m in (1, 2, 3, 5, 8, 13):
        yield f"random {m}", rng.standard_normal((m, m))
    yield "rotation", np.array([[0.0, -1.0], [1.0, 0.0]])
    yield "permutation of 4 (all eigenvalues of modulus 1)", np.eye(4)[[1, 2, 3, 0]]
    yield "companion of (x-1)(x-2)...(x-6)", np.vstack([-np.poly(range(1, 7))[1:], np.eye(5, 6)])
    yield "badly scaled", np.array([[1.0, 1e6, 0.0], [1e-6, 2.0, 1e5], [0.0, 1e-5, 3.0]])


def sorted_eigenvalues(a):
    # In 60 digits, so that the reference's own rounding does not count.
    values, _ = mpmath.eig(mpmath.matrix(a.tolist()))
    return sorted(([float(v.real), float(v.imag)] for v in values), key=lambda p: (round(p[0], 9), p[1]))


def least_squares(x, d):
    """Normal equations in 60 digits."""
    a, b = mpmath.matrix(x), mpmath.matrix(d)
    return [float(v) for v in mpmath.lu_solve(a.T * a, a.T * b)]


def problems():
    x = rng.standard_normal((12, 4))
    yield "random", x, rng.standard_normal(12)
    x = np.array([[1 / (i + j + 1) for j in range(6)] for i in range(9)])
    yield "Hilbert 9 x 6", x, np.ones(9)
    t = np.linspace(0, 1, 20)
    yield "powers of 20 points", np.vander(t, 7, increasing=True), np.cos(4 * t)
    x = rng.standard_normal((10, 3)) * np.array([1e-8, 1.0, 1e9])
    yield "units that differ by 17 digits", x, rng.standard_normal(10)


def bound(values):
    """The mu with sum mu l / (2 - 2 mu l) = 1."""
    f = lambda mu: mpmath.fsum(mu * l / (2 - 2 * mu * l) for l in values) - 1
    low, high = mpmath.mpf(0), 1 / max(values)
    for _ in range(150):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return float(low)


def inverse_energy(values):
    with mpmath.workdps(30):
        f = lambda t: mpmath.mpf(1) / mpmath.sqrt(mpmath.fprod(1 + 2 * mpmath.mpf(l) * t for l in values))
        return float(mpmath.quad(f, [0, 1, 10, 100, mpmath.inf]))


def cyclic_radius(rows, mu):
    product = mpmath.eye(len(rows[0]))
    for row in rows:
        x = mpmath.matrix(row)
        product = product - mu * x * (x.T * product)
    values, _ = mpmath.eig(product)
    return float(max(abs(v) for v in values))


ar1 = np.array([[0.5 ** abs(i - j) for j in range(32)] for i in range(32)])
integer_rows = [[1, 2, -1], [1, -1, 0], [1, 1, 3], [1, 0, -2]]
with mpmath.workdps(30):
    ar1_values = [mpmath.mpf(v) for v in mpmath.eigsy(mpmath.matrix(ar1.tolist()), eigvals_only=True)]

print(
    json.dumps(
        {
            "source": f"scripts/golden/linear-algebra.py, Python {platform.python_version()}, "
            f"numpy {np.__version__}, mpmath {mpmath.__version__}, seed 5",
            "eigenvalues": [
                {"name": name, "a": a.tolist(), "values": sorted_eigenvalues(a)} for name, a in cases()
            ],
            "singularValues": [
                {"name": name, "a": a.tolist(), "values": np.linalg.svd(a, compute_uv=False).tolist()}
                for name, a in [("tall", rng.standard_normal((7, 4))), ("square", rng.standard_normal((5, 5)))]
            ],
            "leastSquares": [
                {
                    "name": name,
                    "x": x.tolist(),
                    "d": d.tolist(),
                    "weights": least_squares(x.tolist(), d.tolist()),
                    "condition": float(np.linalg.cond(x)),
                }
                for name, x, d in problems()
            ],
            "gaussianBound": [
                {"values": v, "limit": bound([mpmath.mpf(x) for x in v])} for v in ([0.2, 0.5, 1, 2], [1, 1, 1], [1])
            ],
            "ar1": {"limit": bound(ar1_values), "largest": float(max(ar1_values))},
            "inverseEnergy": [
                {"values": v, "expectation": inverse_energy(v)}
                for v in ([1, 1, 1, 1], [0.2, 0.5, 1, 2], [1, 1, 1], [1e-3, 1, 30, 1000, 1000])
            ],
            "cyclicRadius": [
                {"x": integer_rows, "mu": mu, "radius": cyclic_radius(integer_rows, mu)} for mu in (0.01, 0.1, 0.3, 0.5, 1, 3)
            ],
        },
        indent=1,
    )
)
