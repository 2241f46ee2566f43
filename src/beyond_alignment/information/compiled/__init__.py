"""The exact solvers compiled for the processor, one problem at a time."""

from functools import cache

import numpy as np
from rich.console import Console

from beyond_alignment.information.compiled.pairwise import solve_pairs
from beyond_alignment.information.compiled.union import solve_coupling

__all__ = ["compile_once", "solve_coupling", "solve_pairs"]


@cache
def compile_once() -> None:
    """Have both solvers compiled; takes some ten seconds at the first use after installation, a moment later on."""
    p = np.full((2, 2, 2), 1 / 8)
    console = Console(stderr=True, force_jupyter=False)
    with console.status("Compiling the exact solver: once after installation, some ten seconds"):
        solve_coupling(p.sum(axis=1), p.sum(axis=0), 1e-7)
        solve_pairs(p, 1e-7)
