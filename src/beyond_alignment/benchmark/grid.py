"""The grid folds x seeds x methods over all tasks; a cell that fails is reported, and the others go on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from anndata import AnnData

from beyond_alignment.benchmark.cells import Bench, Cell, FitMany, fit_one_by_one, joined, run_cells
from beyond_alignment.benchmark.metrics import MAIN_METRIC, statistics
from beyond_alignment.benchmark.predictions import Arrays, Predictions
from beyond_alignment.benchmark.problem import Contest, Workbench, stand_ins
from beyond_alignment.tasks import get_task


@dataclass(frozen=True)
class Grid:
    """What a grid found.

    Attributes
    ----------
    contests
        What was run.
    predictions
        Out-of-fold predictions of each contest; None where a fold failed.
    cells
        One row a contest and fold: made_from, fold, n_train, n_test, metric, value on the test spots of the fold,
        seconds, failure (a sentence, empty for none).
    """

    contests: tuple[Contest, ...]
    predictions: tuple[Predictions | None, ...]
    cells: pd.DataFrame

    @property
    def scored(self) -> list[tuple[Contest, Predictions | None]]:
        """Each contest with its predictions."""
        return list(zip(self.contests, self.predictions, strict=True))

    @property
    def failures(self) -> pd.DataFrame:
        """The cells that failed, each with its reason."""
        return self.cells[self.cells["failure"] != ""].reset_index(drop=True)


def run_grid(
    data_sets: Mapping[str, AnnData],
    contests: Sequence[Contest],
    *,
    fit_many: FitMany = fit_one_by_one,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    n_jobs: int = 1,
    scheduler: str | None = None,
) -> Grid:
    """Run every fold of every contest; the numbers do not depend on where.

    Cells of one method on one problem, over folds and seeds, go to ``fit_many`` together.

    Parameters
    ----------
    data_sets
        Releases by name.
    contests
        What to run; a unimodal method runs once for all partners of its expert.
    fit_many
        Fits the estimators of one method side by side.
    options
        Method -> hyper-parameters handed to its estimator.
    n_jobs
        Processes, of one thread each; -1 for one a core.
    scheduler
        Address of a Dask scheduler, whose workers run the batches instead.
    """
    standing = stand_ins(contests)
    benches, named = pose_contests(data_sets, list(dict.fromkeys(standing.values())))

    def cells_of(contest: Contest) -> list[Cell]:
        name = named[contest]
        return [Cell(name, contest.method, 1.0, fold, contest.seed) for fold in range(len(benches[name].splits))]

    cells = run_cells(
        benches, (cell for contest in named for cell in cells_of(contest)), fit_many=fit_many, options=options or {},
        n_jobs=n_jobs, scheduler=scheduler,
    )  # fmt: skip
    predictions, rows = [], []
    for contest, source in standing.items():
        bench, parts = benches[named[source]], [cells[cell] for cell in cells_of(source)]
        rows += list(_rows(contest, bench, parts))
        whole = not any(str(part["failure"]) for part in parts)
        predictions.append(joined(bench, bench.splits, parts) if whole else None)
    return Grid(tuple(standing), tuple(predictions), pd.DataFrame(rows))


def pose_contests(
    data_sets: Mapping[str, AnnData], contests: Sequence[Contest]
) -> tuple[dict[str, Bench], dict[Contest, str]]:
    """Return each problem once, by a name, and the name of each contest's."""
    prepared, benches = Workbench(data_sets), {}
    named = {c: f"{c.task}, {c.split}, {c.expression}, {c.morphology}" for c in contests}
    for contest, name in named.items():
        if name not in benches:
            benches[name] = Bench(*prepared.prepare(contest))
    return benches, named


def _rows(contest: Contest, bench: Bench, parts: Sequence[Arrays]) -> Iterator[dict[str, object]]:
    """Yield the row of each fold."""
    task = get_task(contest.task)
    metric = MAIN_METRIC[task.kind]
    for split, part in zip(bench.splits, parts, strict=True):
        reason, value = str(part["failure"]), float("nan")
        if not reason:
            found = statistics(joined(bench, [split], [part]))
            value = float(found.read(found.values.sum(axis=0, keepdims=True))[metric][0])
        sizes = {"fold": split.name, "n_train": len(split.train), "n_test": len(split.test)}
        scores = {"metric": metric, "value": value, "seconds": float(part["seconds"]), "failure": reason}
        yield {**vars(contest), "made_from": task.made_from, **sizes, **scores}
