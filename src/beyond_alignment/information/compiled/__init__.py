"""The exact solvers compiled for the processor, one problem at a time."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch
from rich.console import Console
from threadpoolctl import ThreadpoolController

from beyond_alignment.information.compiled.pairwise import solve_pairs
from beyond_alignment.information.compiled.union import solve_coupling

__all__ = ["compile_once", "over_problems", "solve_coupling", "solve_pairs"]


@cache
def compile_once() -> None:
    """Have both solvers compiled; takes some ten seconds at the first use after installation, a moment later on."""
    p = np.full((2, 2, 2), 1 / 8)
    terminal = sys.__stderr__ is not None and sys.__stderr__.isatty()  # a notebook shows results, not this
    console = Console(file=sys.__stderr__, quiet=not terminal, force_jupyter=False)
    with console.status("Compiling the exact solver: once after installation, some ten seconds"):
        solve_coupling(p.sum(axis=1), p.sum(axis=0), 1e-7)
        solve_pairs(p, 1e-7)


def over_problems(work: Callable[[int], None], n: int) -> None:
    """Run `work` on 0 to n - 1, shared out to as many threads as torch may use; it must release Python's lock.

    With several threads, the matrix products inside are kept to one each: threads that wait for each other after
    every product slow a busy machine down a hundredfold.
    """
    workers = min(torch.get_num_threads(), n)
    if workers <= 1:
        for k in range(n):
            work(k)
        return
    with _controller().limit(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(n)))


@cache
def _controller() -> ThreadpoolController:
    """Return the controller of the loaded libraries, which takes a while to look for them."""
    return ThreadpoolController()
