"""Whether a method does better at the size of its paper than at the common one."""

import numpy as np
import pandas as pd

from beyond_alignment.benchmark.method_comparison import Scored, by_task, enough, with_verdicts
from beyond_alignment.benchmark.metrics import MAIN_METRIC, statistics, tile_weights
from beyond_alignment.benchmark.significance import compare_two, exchanges
from beyond_alignment.tasks import get_task


def compare_sizes(
    common: Scored,
    published: Scored,
    *,
    n_replicates: int = 1000,
    n_permutations: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the same methods at two sizes, task by task, on the same spots and the seeds that both were run with.

    Parameters
    ----------
    common, published
        Contests with their predictions, None where a method failed; a method or task that one of them lacks is left
        out.
    n_replicates
        Bootstrap replicates; tiles within sections.
    n_permutations
        Exchanges of tiles where there are too many to try all; when None as many as
        :func:`~beyond_alignment.benchmark.method_comparison.enough` says.
    seed
        Of replicates and exchanges.

    Returns
    -------
    pandas.DataFrame
        One row a task and method: made_from, metric, common and published (mean over seeds), difference (published less
        common), low, high (95 %), p, p_holm (over all rows), n_seeds, n_tiles, verdict (``better``, ``worse`` or ``not
        told apart``, by p_holm).
    """
    both = {(contest.task, contest.method, contest.seed) for contest, _ in common}
    seeds = {place for contest, _ in published if (place := (contest.task, contest.method, contest.seed)) in both}
    kept = [
        by_task([(c, found) for c, found in side if (c.task, c.method, c.seed) in seeds])
        for side in (common, published)
    ]
    shared = [
        (field, name) for field in kept[0] if field in kept[1] for name in kept[0][field] if name in kept[1][field]
    ]
    exchanged = n_permutations or enough(len(shared))
    rows = []
    for field, method in shared:
        task = get_task(field[0])
        metric = MAIN_METRIC[task.kind]
        small, large = ([statistics(run) for run in side[field][method]] for side in kept)
        run = kept[0][field][method][0]
        weights = tile_weights(run.tiles, run.strata, n_replicates=n_replicates, seed=seed)
        swaps = exchanges(len(small[0].names), n_permutations=exchanged, seed=seed)
        change = compare_two(large, small, metric, weights=weights, swaps=swaps)
        values = [float(np.mean([one.scores(weights[:1])[metric][0] for one in side])) for side in (small, large)]
        rows.append(
            {"task": field[0], "made_from": task.made_from, "method": method, "metric": metric}
            | {"common": values[0], "published": values[1]}
            | {"difference": change.value, "low": change.low, "high": change.high, "p": change.p}
            | {"n_seeds": len(small), "n_tiles": change.n_units}
        )
    return with_verdicts(pd.DataFrame(rows))
