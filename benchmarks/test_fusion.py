"""Run with `pytest benchmarks/test_fusion.py -s`: the grid trained together against the plain loop."""

import pytest
import torch

from benchmarks.fusion_speed import speed
from beyond_alignment.fusion import make_fusion

PROMISED = 8
METHODS = ("gated", "low_rank", "clip", "vicreg", "cross_attention", "uniform")


@pytest.mark.parametrize("name", METHODS)
def test_the_grid_together_against_the_plain_loop(name):
    """Print the seconds of both ways and hold the ratio against what is promised."""
    torch.set_num_threads(1)
    found = speed(lambda seed: make_fusion(name, seed=seed, device="cpu"), n_plain=2)
    each = found.together / found.n_cells
    print(
        f"\n{name}: plain {found.plain:.1f} s, together {found.together:.1f} s ({each:.2f} s a cell), {found.ratio:.1f}"
    )
    assert found.agreement > 0.97
    assert found.ratio >= PROMISED
