"""Points of learning curves that are committed already, so that a run of more methods or seeds adds to them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from beyond_alignment.benchmark.curve_grid import CURVE_CODE
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.store import code_digest
from beyond_alignment.errors import InputError
from beyond_alignment.project import root

POINT_CODE = (
    *(*CURVE_CODE, "tasks", "experts/finetuning"),
    *(f"benchmark/{name}.py" for name in ("curve_finetuned", "curve_problems", "dialled_tissue", "finetuned_cells")),
    *(f"benchmark/{name}.py" for name in ("large_samples", "method_cost", "plan", "simulated_tissue", "unseen")),
)
"""What points, costs and sizes depend on, beside the releases and the settings of a run."""
ONE_POINT = ("task", "split", "method", "seed", "fraction")


def curve_fingerprint(settings: Mapping[str, object]) -> str:
    """Return what points of learning curves were computed from, as twelve digits: code, releases and settings.

    Parameters
    ----------
    settings
        What every point of a run shares: the field of view, the trials of tuning. Methods, seeds, fractions and tasks
        name a point and do not belong here.
    """
    digest = hashlib.sha256(code_digest(POINT_CODE).encode())
    digest.update((root() / "data" / "manifest.json").read_bytes())
    digest.update(repr(sorted(settings.items())).encode())
    return digest.hexdigest()[:12]


def known_rows(committed: pd.DataFrame | None, *, wanted: str, found: str) -> pd.DataFrame:
    """Return committed rows where they were computed from what this run has, and none where not.

    Parameters
    ----------
    committed
        A table of an earlier run; None where there is none.
    wanted
        The fingerprint that the profile gives for that table; empty to compute all rows anew.
    found
        :func:`curve_fingerprint` of this run.

    Raises
    ------
    InputError
        If the profile trusts another fingerprint than this run's: the rows would mix two codes or data.
    """
    if not wanted:
        return pd.DataFrame() if committed is None else committed.iloc[:0]
    if wanted != found:
        msg = f"The committed points are of {wanted}, and this run is of {found}: code, releases or settings changed."
        raise InputError(f"{msg} Leave the parameter empty to compute all of them anew.")
    return pd.DataFrame() if committed is None else committed


def still_open(
    contests: Sequence[Contest],
    known: pd.DataFrame,
    *,
    fractions: Sequence[float],
    always: Iterable[str] = (),
) -> list[Contest]:
    """Return the contests that lack a point at one fraction or more.

    Parameters
    ----------
    contests
        What is wanted.
    known
        Rows of :func:`known_rows` with columns task, split, method, seed, fraction; may be empty.
    fractions
        Of the training spots; they agree to six digits, as tables are written.
    always
        Methods that are run all the same.
    """
    again = set(always)
    if known.empty:
        return list(contests)
    held = set(known[list(ONE_POINT)].apply(_identity, axis=1))
    return [
        contest
        for contest in contests
        if contest.method in again
        or not held.issuperset(_identity({**vars(contest), "fraction": fraction}) for fraction in fractions)
    ]


def with_known(points: pd.DataFrame, known: pd.DataFrame, contests: Sequence[Contest]) -> pd.DataFrame:
    """Return the points of this run, and the known ones of the contests that it asked for and did not compute.

    Parameters
    ----------
    points
        From :func:`~beyond_alignment.benchmark.curve_points`.
    known
        Rows of :func:`known_rows`.
    contests
        All that were asked for.

    Returns
    -------
    pandas.DataFrame
        Where there is something known, fractions and sizes of all rows are rounded as tables write them, so that one
        size is one number whichever run it comes from.
    """
    if known.empty:
        return points
    points = points.assign(**{name: points[name].map(_as_written) for name in ("fraction", "n_train")})
    asked = {(c.task, c.split, c.method, c.seed) for c in contests}
    computed = set(points[list(ONE_POINT)].apply(_identity, axis=1)) if len(points) else set()
    kept = known[
        [tuple(row[:4]) in asked and row not in computed for row in known[list(ONE_POINT)].apply(_identity, axis=1)]
    ]
    return pd.concat([points, kept], ignore_index=True)


def _identity(row: Mapping[str, object] | pd.Series) -> tuple[str, str, str, int, str]:
    """Return what names a point; fractions as tables write them."""
    task, split, method, seed, fraction = (row[name] for name in ONE_POINT)
    return str(task), str(split), str(method), int(str(seed)), str(_as_written(fraction))


def _as_written(value: object) -> float:
    """Return a number with the six digits that tables hold."""
    return float(f"{float(str(value)):.6g}")
