"""Long work as one table of points: planned, stored point by point, and checked against what is stored."""

import hashlib
import json
import math
import os
import platform
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from beyond_alignment.errors import InputError
from beyond_alignment.files import write_text
from beyond_alignment.study_files import (
    Point,
    Points,
    Row,
    Stored,
    cell_text,
    computed_folder,
    folder,
    parted,
    point_key,
    stored,
    write_study,
)

Recompute = Literal["check", "missing", "all"]
__all__ = ["array_sha256", "computed_folder", "each", "folder", "run", "stored"]
PACKAGES = ("beyond-alignment", "anndata", "numba", "numpy", "pandas", "scanpy", "scikit-learn", "scipy", "torch")
PROGRESS = "BEYOND_ALIGNMENT_PROGRESS"
SCHEDULER = "BEYOND_ALIGNMENT_SCHEDULER"


def run(
    name: str,
    compute: Callable[..., Mapping[str, Any] | Sequence[Mapping[str, Any]]],
    plan: pd.DataFrame | Iterable[Mapping[str, Any]],
    *,
    version: int = 1,
    settings: Mapping[str, Any] | None = None,
    reads: Mapping[str, Any] | None = None,
    recompute: Recompute = "check",
    check: Sequence[Mapping[str, Any]] = (),
    tolerance: float | Mapping[str, float] = 0.01,
    n_jobs: int = 1,
    scheduler: str | None = None,
    device: str | None = None,
) -> pd.DataFrame:
    """Return the table of a study, computing what is asked for and storing each point as soon as it is finished.

    Parameters
    ----------
    name
        Of the study: its table is ``results/studies/<name>.csv``, with ``.parquet`` (arrays) and ``.json`` (what made
        it) beside it. What is computed is written under ``executed/`` alone.
    compute
        Pure function of a point: called with the columns of its plan row, ``settings`` and, where it takes one,
        ``device`` as keywords; returns one record, or several, of numbers, words and arrays. An exception makes the
        point a row with its reason in the column ``failure``.
    plan
        One row a point, of numbers and words that identify it.
    version
        Of ``compute``, raised by hand whenever its numbers change.
    settings
        What all points share, in values that JSON holds.
    reads
        Arrays that the points are computed from, by name; their hashes are kept.
    recompute
        ``"check"``: read the stored table and compute the rows of ``check`` anew; ``"missing"``: compute what it lacks
        as well; ``"all"``: compute everything, going on where a killed run stopped.
    check
        Each picks the rows of the plan that have its values.
    tolerance
        Largest difference allowed between a stored and a recomputed number, absolute below one and relative above; one
        for all columns, or by column (others must be equal).
    n_jobs
        Processes, of one thread each; on a GPU one is used.
    scheduler
        Address of a Dask scheduler that computes instead; what ``BEYOND_ALIGNMENT_SCHEDULER`` names when None.
    device
        ``cpu`` or ``cuda``.

    Returns
    -------
    pandas.DataFrame
        The rows of the plan, in its order, with the columns of their records; ``attrs`` hold ``line`` (what was
        recomputed, in words), ``finished`` (whether every point is there) and ``missing`` (how many are not).

    Raises
    ------
    InputError
        If there is no table to check, it was made by another version, other settings or other data, a file of it is
        damaged, or a recomputed number is too far from the stored one.
    """
    rows = _plan_rows(plan)
    made_by = {"version": version, "settings": dict(settings or {}), "reads": _hashes(reads or {})}
    made_by = json.loads(json.dumps(made_by))
    picked = _picked(name, rows, check)
    job = _Job(compute, made_by["settings"], device if "device" in signature(compute).parameters else None)
    spread = {
        "n_jobs": 1 if str(device).startswith("cuda") else n_jobs,
        "scheduler": scheduler or os.environ.get(SCHEDULER),
    }
    known = stored(name)
    if recompute == "check":
        known = _good(name, known, made_by)
    else:
        base = known if recompute == "missing" and known is not None and known.made_by == made_by else None
        known = _computed(name, rows, job, base, made_by, whole=recompute == "all", **spread)
    points = known.points
    held = [row for row in rows if point_key(row) in points]
    again = [row for row in picked if point_key(row) in points]
    _compare(known, again, job, tolerance, **spread)
    table = known.table(held)
    missing = len(rows) - len(held)
    within = f"{tolerance:g}" if isinstance(tolerance, int | float) else "the tolerances stated"
    line = f"{len(held):,} of {len(rows):,} points so far; " if missing else ""
    line += f"recomputed here: {len(again):,} of {len(held):,} points, all within {within}"
    table.attrs |= {"study": name, "line": line, "finished": not missing, "missing": missing}
    return table


def each(
    compute: Callable[..., Any], rows: Sequence[Mapping[str, Any]], *, n_jobs: int = 1, scheduler: str | None = None,
    what: str = "points",
) -> Iterator[tuple[int, Any]]:  # fmt: skip
    """Yield the number of a row and ``compute(**row)``, as they finish: here, in processes, or on Dask."""
    bar = _Progress(what, len(rows))
    try:
        for done in _spread(compute, rows, n_jobs, scheduler):
            bar.advance()
            yield done
    finally:
        bar.close()


def _spread(
    compute: Callable[..., Any], rows: Sequence[Mapping[str, Any]], n_jobs: int, scheduler: str | None
) -> Iterator[tuple[int, Any]]:
    """Compute rows in one of the three places."""
    if scheduler is not None:
        yield from _on_dask(compute, rows, scheduler)
    elif n_jobs == 1 or len(rows) < 2:
        from threadpoolctl import threadpool_limits

        for number, row in enumerate(rows):
            with threadpool_limits(1):  # as in the processes below: sums in one order, whatever the number of cores
                found = compute(**row)
            yield number, found
    else:
        import joblib

        # loky renews a process that has grown, and says so in the output of a page
        warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
        with joblib.parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
            calls = (joblib.delayed(_numbered)(number, compute, row) for number, row in enumerate(rows))
            yield from joblib.Parallel(return_as="generator_unordered")(calls)


def _numbered(number: int, compute: Callable[..., Any], row: Mapping[str, Any]) -> tuple[int, Any]:
    """Return the number of a row with what it gives."""
    return number, compute(**row)


def _on_dask(
    compute: Callable[..., Any], rows: Sequence[Mapping[str, Any]], scheduler: str
) -> Iterator[tuple[int, Any]]:
    """Compute rows on a Dask scheduler; what several rows hold, such as the arrays of a task, is sent once."""
    import dask
    from distributed import Client, as_completed

    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})  # it is sent on purpose

    try:
        client = Client(scheduler, timeout="20s")
    except (OSError, ValueError) as error:
        msg = f"No Dask scheduler answers at {scheduler!r} ({type(error).__name__}): start one with `dask scheduler`."
        raise InputError(msg) from None
    with client:
        kept = {id(value): value for row in rows for value in row.values() if not isinstance(value, str | int | float)}
        times = Counter(id(value) for row in rows for value in row.values())
        sent = {key: client.submit(_itself, _Sent(value), pure=False) for key, value in kept.items() if times[key] > 1}
        given = ({name: sent.get(id(value), value) for name, value in row.items()} for row in rows)
        futures = [client.submit(_numbered, n, compute, row, pure=False) for n, row in enumerate(given)]
        for future in as_completed(futures):
            yield future.result()
            future.release()


class _Sent:
    """A value on its way: Dask looks into containers and dataclasses for tasks, and not into this."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _itself(sent: _Sent) -> Any:
    """Return the value, on the worker: made anew from the scheduler's copy where a worker is lost."""
    return sent.value


@dataclass(frozen=True)
class _Job:
    """What computes a point; can be sent to another process."""

    compute: Callable[..., Any]
    settings: dict[str, Any]
    device: str | None

    def __call__(self, **row: Any) -> "Point":
        """Compute a point; what goes wrong becomes its reason."""
        started = time.perf_counter()
        where = {} if self.device is None else {"device": self.device}
        try:
            found = self.compute(**row, **self.settings, **where)
            records = [dict(record) for record in ([found] if isinstance(found, Mapping) else found)]
            return Point(*parted(records), "", time.perf_counter() - started)
        except Exception as error:  # noqa: BLE001 a point may fail in any way, and the others go on
            why = " ".join(f"{type(error).__name__}: {error}".split())
            return Point([{}], [{}], why, time.perf_counter() - started)


def _plan_rows(plan: pd.DataFrame | Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows of a plan as plain values, each once."""
    given = plan.to_dict("records") if isinstance(plan, pd.DataFrame) else plan
    rows = [{k: v.item() if isinstance(v, np.generic) else v for k, v in row.items()} for row in given]
    if any(isinstance(value, str) and not value.isprintable() for row in rows for value in row.values()):
        raise InputError("The plan of a study holds a word that is not on one line of printable text: rename it.")
    if len({frozenset(row) for row in rows}) > 1 or len({point_key(row) for row in rows}) < len(rows):
        msg = (
            "The plan of a study has rows of different columns, or a row twice: give each point the same columns once."
        )
        raise InputError(msg)
    return rows


def _picked(name: str, rows: Sequence[Row], check: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the rows that a check names."""
    picked: dict[str, Row] = {}
    for wanted in check:
        found = [row for row in rows if wanted.items() <= row.items()]
        if not found:
            raise InputError(f"The check of study {name} names {dict(wanted)}, which no row of its plan has.")
        picked |= {point_key(row): row for row in found}
    return list(picked.values())


def _hashes(reads: Mapping[str, Any]) -> dict[str, str]:
    """Hash arrays by their type, shape and bytes."""
    return {name: array_sha256(array) for name, array in reads.items()}


def array_sha256(array: Any) -> str:
    """Return the sha256 of an array: type, shape and bytes; words count as text."""
    values = np.ascontiguousarray(np.asarray(array))
    values = values.astype("U") if values.dtype == object else values
    return hashlib.sha256(f"{values.dtype.str} {values.shape}".encode() + values.tobytes()).hexdigest()


def _good(name: str, known: Stored | None, made_by: Mapping[str, Any]) -> Stored:
    """Refuse to check a table that is not there, or was made by something else."""
    if known is None:
        msg = f"There is no stored table results/studies/{name}.csv: compute it with recompute=missing."
        raise InputError(msg)
    for what, mine in made_by.items():
        theirs = known.manifest[what]
        if theirs == mine:
            continue
        names = {key for key in {*mine, *theirs} if mine.get(key) != theirs.get(key)} if what != "version" else set()
        about = f"{what} {', '.join(sorted(names))}" if names else f"version {theirs}, and this is version {mine}"
        msg = f"Study {name} was stored with other {about}" if names else f"Study {name} was stored by {about}"
        raise InputError(f"{msg}: compute it anew with recompute=missing, and publish it.")
    return known


def _compare(
    known: Stored, again: Sequence[Row], job: _Job, tolerance: float | Mapping[str, float], **spread: Any
) -> None:
    """Compute rows anew and refuse what is too far from what is stored; the differences go to a log."""
    name, points, started = known.manifest["study"], known.points, time.perf_counter()
    done: dict[int, Point] = dict(each(job, again, what=f"{name}: check", **spread))
    log: list[str] = []
    for number, row in enumerate(again):
        point = done[number]
        lines = [known.rows[line] for line in points[point_key(row)]]
        before = [{k: v for k, v in line.items() if k not in row and k != "failure"} for line in lines]
        reason = lines[0].get("failure")
        if bool(reason) != bool(point.failure) or len(before) != len(point.records):
            found = point.failure or f"{len(point.records)} records"
            kept = reason or f"{len(before)} records"
            raise InputError(_apart(name, row, f"gives {found!r} here and {kept!r} in the stored table"))
        for old, new in zip(before, point.records, strict=True):
            for column in dict.fromkeys([*old, *new]):
                allowed = tolerance if isinstance(tolerance, int | float) else tolerance.get(column, 0.0)
                there, here = old.get(column), new.get(column)
                if not _alike(there, here, allowed):
                    about = f"has {column} = {here!r} here and {there!r} in the stored table (allowed: {allowed:g})"
                    raise InputError(_apart(name, row, about))
                if isinstance(here, float) and here != there:
                    log.append(f"{point_key(row)} {column}: {here!r} here, {there!r} stored")
    seconds = time.perf_counter() - started
    path = computed_folder().with_name("checks") / f"{name}.log"
    write_text(path, "\n".join([f"{len(again)} points in {seconds:.1f} s, {len(log)} numbers differ", *log]) + "\n")


def _apart(name: str, row: Row, about: str) -> str:
    """Say what a check found, and what to do."""
    point = ", ".join(f"{key}={value}" for key, value in row.items())
    advice = "raise the version of its function and run with recompute=missing, or find out what changed"
    return f"Study {name}: the point {point} {about}; {advice}."


def _alike(there: Any, here: Any, allowed: float) -> bool:
    """Compare two cells; an absent one equals NaN and None."""
    there, here = (None if isinstance(v, float) and math.isnan(v) else v for v in (there, here))
    if there is None or here is None or isinstance(there, str) or isinstance(here, str):
        return cell_text(there) == cell_text(here)
    return math.isclose(there, here, rel_tol=allowed, abs_tol=allowed)


def _computed(
    name: str, rows: Sequence[Row], job: _Job, base: Stored | None, made_by: dict[str, Any], *, whole: bool,
    **spread: Any,
) -> Stored:  # fmt: skip
    """Compute what is not there yet, store each point as it comes, write the table and return what it says."""
    started = datetime.now(UTC)
    with closing(Points(name, made_by)) as points:
        begun = points.begin() if whole else 0
        known = {} if base is None else _points_of(base)
        done = {key: point for key, point in known.items() if not point.failure}
        done |= {key: point for key, point in points.finished(begun).items() if not point.failure}
        missing = [row for row in rows if point_key(row) not in done]
        for number, point in each(job, missing, what=name, **spread):
            points.keep(missing[number], point, begun)
            done[point_key(missing[number])] = point
        runs = [] if base is None else list(base.manifest["runs"])
        computed = [point.seconds for key, point in done.items() if key not in known]
        if computed:
            runs.append(_run_record(started, len(computed), sum(computed), job.device))
        write_study(name, computed_folder(), rows, done, made_by | {"runs": runs})
        points.end(begun)
    written = stored(name, computed_folder())
    assert written is not None
    return written


def _points_of(known: Stored) -> dict[str, Point]:
    """Return the points of a stored table."""
    found = {}
    for key, lines in known.points.items():
        given = json.loads(key)
        records = [{k: v for k, v in known.rows[n].items() if k not in given and k != "failure"} for n in lines]
        arrays = [known.arrays[n] if known.arrays else {} for n in lines]
        found[key] = Point(records, arrays, known.rows[lines[0]].get("failure") or "", 0.0)
    return found


def _run_record(started: datetime, points: int, seconds: float, device: str | None) -> dict[str, Any]:
    """Say when and on what points were computed."""
    return {
        "date": started.date().isoformat(),
        "points": points,
        "seconds": round(seconds, 1),
        "device": device_name(device),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "packages": {name: installed_version(name) for name in PACKAGES},
    }


def device_name(device: str | None) -> str:
    """Name a device; a card by its model."""
    torch = sys.modules.get("torch")
    if device is None or not device.startswith("cuda") or torch is None:
        return "cpu"
    return str(torch.cuda.get_device_name())


def installed_version(name: str) -> str:
    """Look the version of a package up."""
    try:
        return installed(name)
    except PackageNotFoundError:
        return "not installed"


class _Progress:
    """How many points are done and how long the rest takes: on a terminal, or in the file that a book run shows."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done, self.started = what, total, 0, time.monotonic()
        self.file = os.environ.get(PROGRESS)
        self.terminal = sys.stderr.isatty()

    def advance(self) -> None:
        """Count a finished point."""
        self.done += 1
        spent = time.monotonic() - self.started
        left = spent / self.done * (self.total - self.done)
        line = f"{self.what}: {self.done:,} of {self.total:,}, {_duration(left)} to go"
        if self.terminal and spent > 2:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        if self.file:
            write_text(Path(self.file), line)

    def close(self) -> None:
        """Clear the line."""
        if self.terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        if self.file:
            Path(self.file).unlink(missing_ok=True)


def _duration(seconds: float) -> str:
    """Write a time to go."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
