"""Run with `pytest benchmarks/test_fusion.py -s`: the grid trained together against the plain loop."""

import pytest
import torch

from benchmarks.fusion_speed import speed
from beyond_alignment.fusion import FUSION_METHODS, make_fusion

PROMISED = 8
METHODS = tuple(name for name, method in FUSION_METHODS.items() if method.network is not None)
MEASURED = {}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_together_against_the_plain_loop(name):
    """Print the seconds of both ways; the same classes are predicted."""
    torch.set_num_threads(1)
    found = MEASURED[name] = speed(lambda seed: make_fusion(name, seed=seed, device="cpu"), n_plain=1)
    print(f"\n{name}: plain {found.plain:.1f} s, together {found.together:.1f} s, {found.ratio:.1f}")
    assert found.agreement > 0.97
    assert found.ratio > 1


def test_the_whole_grid_together_against_the_plain_loop():
    """Hold the ratio of the grid of all methods against what is promised."""
    if set(MEASURED) != set(METHODS):
        pytest.skip("needs every method; run the whole file")
    plain, together = (sum(getattr(found, side) for found in MEASURED.values()) for side in ("plain", "together"))
    print(f"\nall methods: plain {plain:.0f} s, together {together:.0f} s, {plain / together:.1f}")
    assert plain / together >= PROMISED
