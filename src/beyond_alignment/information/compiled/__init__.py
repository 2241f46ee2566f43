"""The exact solvers compiled for the processor, one problem at a time."""

import sys
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
    terminal = sys.__stderr__ is not None and sys.__stderr__.isatty()  # a notebook shows results, not this
    console = Console(file=sys.__stderr__, quiet=not terminal, force_jupyter=False)
    with console.status("Compiling the exact solver: once after installation, some ten seconds"):
        solve_coupling(p.sum(axis=1), p.sum(axis=0), 1e-7)
        solve_pairs(p, 1e-7)
