"""Batches of problems: one after another on the threads of the processor, or many at once on an accelerator."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

ACCELERATOR_BYTES = 2**30


def on_processor(device: str | torch.device) -> bool:
    """Whether `device` is the processor, where problems are solved by compiled code rather than by torch."""
    return torch.device(device).type == "cpu"


def over_problems(work: Callable[[int], None], n: int) -> None:
    """Run `work` on 0 to n - 1, shared out to as many threads as torch may use; it must release Python's lock.

    With several threads, the matrix products inside are kept to one each: threads that wait for each other after
    every product slow a busy machine down a hundredfold.

    Parameters
    ----------
    work
        Called with the number of a problem; writes its own results.
    n
        Number of problems.
    """
    workers = min(torch.get_num_threads(), n)
    if workers <= 1:
        for k in range(n):
            work(k)
        return
    with _controller().limit(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(n)))


def over_chunks(work: Callable[[slice], None], n: int, shape: tuple[int, int, int]) -> None:
    """Run `work` without gradients on slices of 0 to n, of as many problems as fit the memory of an accelerator.

    Parameters
    ----------
    work
        Called with one slice; writes its own results.
    n
        Number of problems.
    shape
        States of the longer source, of the other, and classes.
    """
    k1, k2, classes = shape
    one = 8 * classes * k1 * k2 * (2 * classes + 16) + 16 * (k2 * classes) ** 2
    size = max(1, ACCELERATOR_BYTES // one)
    with torch.inference_mode():
        for low in range(0, n, size):
            work(slice(low, min(low + size, n)))


@cache
def _controller() -> ThreadpoolController:
    """Return the controller of the loaded libraries, which takes a while to look for them."""
    return ThreadpoolController()
