"""Batches of small problems in chunks that fit a processor's cache, one thread a chunk."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

CHUNK_BYTES = 2**24


def chunk_size(k1: int, k2: int, classes: int) -> int:
    """Return how many problems of k1 x k2 x classes are solved together: as many as a processor's cache likes."""
    one = 8 * classes * k1 * k2 * (2 * classes + 16) + 16 * (k2 * classes) ** 2
    return max(1, CHUNK_BYTES // one)


def over_chunks(work: Callable[[slice], None], n: int, *, size: int, device: str | torch.device) -> None:
    """Run `work` on slices of 0 to n.

    The threads of torch are shared out one a chunk: its operations are too short to be split, and on a busy machine
    threads that wait for each other after every one of them slow it down a hundredfold.

    Parameters
    ----------
    work
        Called with one slice, without gradients; writes its own results.
    n
        Number of problems.
    size
        Most problems in a chunk.
    device
        Where `work` computes; anywhere but on the processor the chunks run one after another.
    """
    threads = torch.get_num_threads()
    workers = threads if torch.device(device).type == "cpu" else 1
    size = max(1, min(size, -(-n // workers)))
    parts = [slice(start, min(start + size, n)) for start in range(0, n, size)]

    def run(part: slice) -> None:
        torch.set_num_threads(1)
        with torch.inference_mode():
            work(part)

    try:
        if len(parts) == 1 or workers == 1:
            for part in parts:
                run(part)
        else:
            with ThreadPoolExecutor(min(workers, len(parts))) as pool:
                list(pool.map(run, parts))
    finally:
        torch.set_num_threads(threads)
