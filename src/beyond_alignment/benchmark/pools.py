"""Where batches of the grid run: in this process, in several, or on the workers of a Dask scheduler."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import joblib

from beyond_alignment.benchmark.cells import Batch, Bench, Failure, FitMany, failed_cells, run_batch
from beyond_alignment.benchmark.store import Arrays
from beyond_alignment.errors import InputError

Work = tuple[str, Batch]
Done = tuple[int, list[Arrays]]

CONNECT_SECONDS = 20


def run_here(benches: Mapping[str, Bench], work: Sequence[Work], fit_many: FitMany, *, n_jobs: int) -> Iterator[Done]:
    """Yield each batch as it is done, with its number.

    Parameters
    ----------
    benches
        Problems by name.
    work
        Name of the problem, and batch.
    fit_many
        Fits the cells of a batch.
    n_jobs
        Processes, of one thread each; 1 for this one, -1 for one a core.
    """
    if n_jobs == 1:
        for number, (name, batch) in enumerate(work):
            yield number, run_batch(benches[name], batch, fit_many)
        return
    jobs = (
        joblib.delayed(_numbered)(number, benches[name], batch, fit_many) for number, (name, batch) in enumerate(work)
    )
    with joblib.parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
        yield from joblib.Parallel(return_as="generator_unordered")(jobs)


def _numbered(number: int, bench: Bench, batch: Batch, fit_many: FitMany) -> Done:
    """Run a batch and say which one it was."""
    return number, run_batch(bench, batch, fit_many)


def run_on_dask(
    benches: Mapping[str, Bench], work: Sequence[Work], fit_many: FitMany, *, address: str
) -> Iterator[Done]:
    """Yield each batch as a worker of a Dask scheduler is done with it, with its number.

    Each problem is sent once and is made anew from the scheduler's copy where the worker that held it is lost; so is
    every batch that was running there. The answers come back here, so that workers share no folder with this machine.
    The package has to be installed there in the same version.

    Parameters
    ----------
    benches
        Problems by name.
    work
        Name of the problem, and batch.
    fit_many
        Fits the cells of a batch; importable on the workers.
    address
        Of the scheduler, such as ``tcp://host:8786``.

    Raises
    ------
    InputError
        If no scheduler answers.
    """
    import dask
    from distributed import Client, as_completed

    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})  # problems are sent on purpose
    logging.getLogger("distributed").setLevel(logging.ERROR)
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        msg = f"No Dask scheduler answers at {address}: start one, or leave --scheduler out."
        raise InputError(msg) from error
    with client:
        held = {name: client.submit(_itself, _Sent(bench), pure=False) for name, bench in benches.items()}
        futures = [client.submit(run_batch, held[name], batch, fit_many, pure=False) for name, batch in work]
        numbers = {future.key: number for number, future in enumerate(futures)}
        for future in as_completed(futures, loop=client.loop):
            number = numbers[future.key]
            answers = _answer(future, len(work[number][1].folds))
            future.release()
            yield number, answers


class _Sent:
    """A problem on its way: Dask looks into dataclasses and containers for tasks, and not into this."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench


def _itself(sent: _Sent) -> Bench:
    """Return a problem, on the worker."""
    return sent.bench


def _answer(future: Any, n: int) -> list[Arrays]:
    """Return what a worker answered, or that it was lost."""
    if future.status == "finished":
        return future.result()
    error = future.exception()
    sentence = " ".join(str(error).split()) or type(error).__name__
    return failed_cells(Failure(f"The worker gave no answer ({sentence}).", lasting=False), n)
