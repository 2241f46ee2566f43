"""Points that the tests of studies compute, in a module so that other processes can find them."""

import time

import numpy as np


def square(x, kind, factor=1.0, power=2):
    """One record with a number, a word and an array."""
    return {"value": factor * float(x) ** power + 1 / 3, "name": f"{kind}-{x}", "draws": np.arange(x + 1) / 7}


def slow_square(x, kind, factor=1.0):
    """The same, slow enough to be killed."""
    time.sleep(0.01)
    return square(x, kind, factor)


def two_rows(x):
    """Several records a point, not all with the same columns."""
    return [{"probe": "linear", "bits": x / 10}, {"probe": "mlp", "bits": x / 5, "count": x}]


def fails_on_three(x):
    """A point that fails."""
    if x == 3:
        raise ValueError("three is\ntoo many")
    return {"value": x}


def on_device(x, device):
    """A point that is told where to compute."""
    return {"where": device}


def not_a_number(x):
    """Values that a table has to write as empty cells."""
    return {
        "value": float("nan") if x else 1.0,
        "word": None if x else "a",
        "big": np.float32(1e30),
        "flag": np.bool_(x),
    }
