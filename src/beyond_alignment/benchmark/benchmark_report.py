"""The tables of a benchmark run: scores, folds, comparisons with the better expert, and ranks."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from beyond_alignment.benchmark.grid import Grid
from beyond_alignment.benchmark.method_comparison import compare_with_experts, score_draws, verdict_sentence
from beyond_alignment.benchmark.ranks import Ranks, rank_methods
from beyond_alignment.benchmark.scoreboard import build_scoreboard
from beyond_alignment.benchmark.significance import scope
from beyond_alignment.files import write_text

FEWEST_TASKS, FEWEST_METHODS = 2, 3


@dataclass(frozen=True)
class BenchmarkReport:
    """What a benchmark run says.

    Attributes
    ----------
    scores
        One row a contest and metric, with made_from and the 95 % interval.
    cells
        One row a contest and fold, failures among them.
    comparisons
        Every fusion against the better expert; empty where the experts were not run.
    ranks
        Mean ranks over tasks; None where there are fewer than two tasks or three methods.
    sentences
        What follows, and what it licenses.
    """

    scores: pd.DataFrame
    cells: pd.DataFrame
    comparisons: pd.DataFrame
    ranks: Ranks | None
    sentences: tuple[str, ...]

    def write(self, folder: Path) -> list[Path]:
        """Write the tables as ``.csv`` files, each in one step, and return their paths."""
        tables = {"scores": self.scores, "cells": self.cells, "comparisons": self.comparisons}
        if self.ranks is not None:
            tables["ranks"] = self.ranks.table
        paths = [folder / f"{name}.csv" for name in tables]
        for path, table in zip(paths, tables.values(), strict=True):
            write_text(path, table.to_csv(index=False))
        return paths


def report_benchmark(grid: Grid, *, n_replicates: int = 1000) -> BenchmarkReport:
    """Score a grid and compare its methods.

    Parameters
    ----------
    grid
        What was run.
    n_replicates
        Bootstrap replicates.
    """
    finished = [(contest, found) for contest, found in grid.scored if found is not None]
    scores = pd.DataFrame()
    if finished:
        contests, predictions = zip(*finished, strict=True)
        scores = build_scoreboard(contests, predictions, n_replicates=n_replicates).table
    comparisons = compare_with_experts(grid.scored, n_replicates=n_replicates)
    table, draws, fields = score_draws(grid.scored, n_replicates=min(n_replicates, 500))
    ranks = None
    if len(fields) >= FEWEST_TASKS and table.shape[1] >= FEWEST_METHODS and finished:
        ranks = rank_methods(table, draws=draws)
    return BenchmarkReport(scores, grid.cells, comparisons, ranks, _sentences(grid, comparisons))


def _sentences(grid: Grid, comparisons: pd.DataFrame) -> tuple[str, ...]:
    """Return what the run says in words."""
    said = [verdict_sentence(comparisons)]
    if not comparisons.empty:
        for split, rows in comparisons.groupby("split", sort=False):
            fewest = int(rows["n_groups"].min())
            said.append(f"Split by {split}: {scope(fewest, groups=f'{split}s')}")
    if len(grid.failures):
        count, methods = len(grid.failures), ", ".join(sorted(set(grid.failures["method"])))
        said.append(f"{count} of {len(grid.cells)} cells failed ({methods}); cells.csv holds the reasons.")
    return tuple(said)
