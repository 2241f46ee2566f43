"""Long work as one table of points: planned, stored point by point, and checked against what is stored."""

import hashlib
import io
import json
import math
import os
import platform
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from inspect import signature
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path, file_sha256, write_text
from beyond_alignment.project import executed, root

Recompute = Literal["check", "missing", "all"]
Row = dict[str, Any]
PACKAGES = ("beyond-alignment", "anndata", "numba", "numpy", "pandas", "scanpy", "scikit-learn", "scipy", "torch")
KINDS: dict[str, Callable[[Any], Any]] = {"bool": lambda text: text == "True", "int": int, "float": float, "str": str}
PROGRESS = "BEYOND_ALIGNMENT_PROGRESS"
FORMAT = "beyond-alignment study 1"


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
        Address of a Dask scheduler that computes instead.
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
    spread = {"n_jobs": 1 if str(device).startswith("cuda") else n_jobs, "scheduler": scheduler}
    known = stored(name)
    if recompute == "check":
        known = _good(name, known, made_by)
    else:
        base = known if recompute == "missing" and known is not None and known.made_by == made_by else None
        known = _computed(name, rows, job, base, made_by, whole=recompute == "all", **spread)
    points = known.points()
    held = [row for row in rows if _key(row) in points]
    again = [row for row in picked if _key(row) in points]
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
    for done in _spread(compute, rows, n_jobs, scheduler):
        bar.advance()
        yield done
    bar.close()


def _spread(
    compute: Callable[..., Any], rows: Sequence[Mapping[str, Any]], n_jobs: int, scheduler: str | None
) -> Iterator[tuple[int, Any]]:
    """Compute rows in one of the three places."""
    if scheduler is not None:
        yield from _on_dask(compute, rows, scheduler)
    elif n_jobs == 1 or len(rows) < 2:
        for number, row in enumerate(rows):
            yield number, compute(**row)
    else:
        import joblib

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

    def __call__(self, **row: Any) -> "_Point":
        """Compute a point; what goes wrong becomes its reason."""
        started = time.perf_counter()
        where = {} if self.device is None else {"device": self.device}
        try:
            found = self.compute(**row, **self.settings, **where)
            records = [dict(record) for record in ([found] if isinstance(found, Mapping) else found)]
            return _Point(*_split(records), "", time.perf_counter() - started)
        except Exception as error:  # noqa: BLE001 a point may fail in any way, and the others go on
            why = " ".join(f"{type(error).__name__}: {error}".split())
            return _Point([{}], [{}], why, time.perf_counter() - started)


class _Point(NamedTuple):
    """What a point gave: numbers and words, arrays, or the reason why there are none."""

    records: list[Row]
    arrays: list[dict[str, NDArray]]
    failure: str
    seconds: float


def _split(records: Sequence[Mapping[str, Any]]) -> tuple[list[Row], list[dict[str, NDArray]]]:
    """Part arrays from plain values, which are rounded as the table writes them."""
    plain = [{k: _plain(k, v) for k, v in record.items() if not isinstance(v, np.ndarray)} for record in records]
    return plain, [{k: v for k, v in record.items() if isinstance(v, np.ndarray)} for record in records]


def _plain(name: str, value: Any) -> Any:
    """Return a value as the table holds it."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if value is None or isinstance(value, bool | int) or (isinstance(value, str) and value.isprintable()):
        return value
    msg = f"column {name!r} holds a {type(value).__name__}; a point returns numbers, words on one line and arrays"
    raise TypeError(msg)


def _plan_rows(plan: pd.DataFrame | Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows of a plan as plain values, each once."""
    given = plan.to_dict("records") if isinstance(plan, pd.DataFrame) else plan
    rows = [{k: v.item() if isinstance(v, np.generic) else v for k, v in row.items()} for row in given]
    if any(isinstance(value, str) and not value.isprintable() for row in rows for value in row.values()):
        raise InputError("The plan of a study holds a word that is not on one line of printable text: rename it.")
    if len({frozenset(row) for row in rows}) > 1 or len({_key(row) for row in rows}) < len(rows):
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
        picked |= {_key(row): row for row in found}
    return list(picked.values())


def _key(row: Mapping[str, Any]) -> str:
    """Return what identifies a point."""
    return json.dumps(row, sort_keys=True)


def _hashes(reads: Mapping[str, Any]) -> dict[str, str]:
    """Hash arrays by their type, shape and bytes."""
    return {name: array_sha256(array) for name, array in reads.items()}


def array_sha256(array: Any) -> str:
    """Return the sha256 of an array: type, shape and bytes; words count as text."""
    values = np.ascontiguousarray(np.asarray(array))
    values = values.astype("U") if values.dtype == object else values
    return hashlib.sha256(f"{values.dtype.str} {values.shape}".encode() + values.tobytes()).hexdigest()


# --- the table on disk -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stored:
    """A table with what made it.

    Attributes
    ----------
    manifest
        Content of the ``.json`` file.
    rows
        Plan columns and numbers of each line, in the order of the file.
    arrays
        Arrays of each line.
    """

    manifest: dict[str, Any]
    rows: list[Row]
    arrays: list[dict[str, NDArray]] = field(default_factory=list)

    @property
    def made_by(self) -> dict[str, Any]:
        """Version, settings and data."""
        return {name: self.manifest[name] for name in ("version", "settings", "reads")}

    def points(self) -> dict[str, list[int]]:
        """Return the lines of each point by its key."""
        found: dict[str, list[int]] = {}
        for number, row in enumerate(self.rows):
            found.setdefault(_key({name: row[name] for name in self.manifest["plan"]}), []).append(number)
        return found

    def table(self, held: Sequence[Row]) -> pd.DataFrame:
        """Return the lines of some points, arrays among the columns."""
        points = self.points()
        chosen = [number for row in held for number in points[_key(row)]]
        records = [{**self.rows[number], **(self.arrays[number] if self.arrays else {})} for number in chosen]
        table = pd.DataFrame(records, columns=None if records else list(self.manifest["columns"]))
        if "failure" in table and table["failure"].isna().all():
            table = table.drop(columns="failure")
        return table


def folder() -> Path:
    """Return where the committed studies are."""
    return root() / "results" / "studies"


def computed_folder() -> Path:
    """Return where a run writes the tables that it computes."""
    return executed() / "results" / "studies"


def stored(name: str, place: Path | None = None) -> Stored | None:
    """Read the stored table of a study; None where there is none.

    Raises
    ------
    InputError
        If one of its files is truncated, was edited, or belongs to something else.
    """
    files = _files(place or folder(), name)
    if not files["json"].is_file():
        return None
    try:
        manifest = json.loads(files["json"].read_text(encoding="utf-8"))
        right = manifest["format"] == FORMAT and manifest["study"] == name
        hashes, columns, plan = manifest["sha256"], manifest["columns"], manifest["plan"]
    except (ValueError, KeyError, TypeError):
        right = False
    if not right:
        msg = f"{_shown(files['json'])} does not describe study {name}: restore it from version control."
        raise InputError(msg)
    for kind, expected in hashes.items():
        if not files[kind].is_file() or file_sha256(files[kind]) != expected:
            msg = f"{_shown(files[kind])} is not the file that its .json describes: restore it from version control."
            raise InputError(msg)
    frame = pd.read_csv(files["csv"], dtype=str, keep_default_na=False)
    rows = [
        {k: _read(v, columns[k], plan=k in plan) for k, v in row.items()} for row in frame.to_dict(orient="records")
    ]
    return Stored(manifest, rows, _read_arrays(files["parquet"], len(rows)) if "parquet" in hashes else [])


def _read(text: str, kind: str, *, plan: bool) -> Any:
    """Read a cell; an empty one is absent, but in the plan."""
    return KINDS[kind](text) if text or plan else (math.nan if kind in ("int", "float", "bool") else None)


def _files(place: Path, name: str) -> dict[str, Path]:
    """Return the files of a study."""
    return {suffix: place / f"{name}.{suffix}" for suffix in ("csv", "parquet", "json")}


def _shown(path: Path) -> str:
    """Name a file from the project's root."""
    return path.relative_to(root()).as_posix() if path.is_relative_to(root()) else path.name


def _write(name: str, place: Path, rows: Sequence[Row], done: Mapping[str, _Point], manifest: dict[str, Any]) -> None:
    """Write table, arrays and manifest, the manifest last; a reader refuses what it does not describe."""
    lines, arrays = [], []
    for row in (row for row in rows if _key(row) in done):
        point = done[_key(row)]
        for record, own in zip(point.records, point.arrays, strict=True):
            lines.append({**row, **record, **({"failure": point.failure} if point.failure else {})})
            arrays.append(own)
    columns = list(dict.fromkeys(column for line in lines for column in line))
    kinds = {column: _kind([line.get(column) for line in lines]) for column in columns}
    files = _files(place, name)
    text = pd.DataFrame([[_text(line.get(column)) for column in columns] for line in lines], columns=columns)
    with atomic_path(files["csv"]) as temporary:
        text.to_csv(temporary, index=False, lineterminator="\n")
    hashes = {"csv": file_sha256(files["csv"])}
    if any(arrays):
        _write_arrays(files["parquet"], arrays)
        hashes["parquet"] = file_sha256(files["parquet"])
    else:
        files["parquet"].unlink(missing_ok=True)
    failed = [{"point": row, "why": done[_key(row)].failure} for row in rows if _key(row) in done]
    content = {
        "format": FORMAT,
        "study": name,
        **manifest,
        "plan": list(rows[0]) if rows else [],
        "columns": kinds,
        "points": sum(_key(row) in done for row in rows),
        "planned": len(rows),
        "failed": [one for one in failed if one["why"]],
        "sha256": hashes,
    }
    write_text(files["json"], json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _text(value: Any) -> str:
    """Write a cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value)


def _kind(values: Sequence[Any]) -> str:
    """Name the type of a column."""
    types = {type(value).__name__ for value in values if _text(value)}
    if len(types) == 1:
        return types.pop()
    return "float" if types and types <= {"int", "float"} else "str"


def _write_arrays(path: Path, arrays: Sequence[Mapping[str, NDArray]]) -> None:
    """Write arrays, one row a line of the table: flat values and shape."""
    import pyarrow as pa
    from pyarrow import parquet

    names = list(dict.fromkeys(name for own in arrays for name in own))
    content: dict[str, Any] = {}
    for name in names:
        own = [one.get(name) for one in arrays]
        kind = next(one.dtype for one in own if one is not None)
        content[name] = pa.array(
            [None if one is None else one.ravel() for one in own], type=pa.list_(pa.from_numpy_dtype(kind))
        )
        content[f"{name} shape"] = pa.array([None if one is None else list(one.shape) for one in own])
    with atomic_path(path) as temporary:
        parquet.write_table(pa.table(content), temporary, compression="zstd")


def _read_arrays(path: Path, n: int) -> list[dict[str, NDArray]]:
    """Read what :func:`_write_arrays` wrote."""
    from pyarrow import parquet

    table = parquet.read_table(path)
    found: list[dict[str, NDArray]] = [{} for _ in range(n)]
    for name in (name for name in table.column_names if not name.endswith(" shape")):
        kind = table.schema.field(name).type.value_type.to_pandas_dtype()
        for own, values, shape in zip(found, table[name], table[f"{name} shape"], strict=True):
            if values.is_valid:
                own[name] = values.values.to_numpy(zero_copy_only=False).astype(kind, copy=False).reshape(shape.as_py())
    return found


# --- checking --------------------------------------------------------------------------------------------------------


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
    name, points, started = known.manifest["study"], known.points(), time.perf_counter()
    done: dict[int, _Point] = dict(each(job, again, what=f"{name}: check", **spread))
    log: list[str] = []
    for number, row in enumerate(again):
        point = done[number]
        lines = [known.rows[line] for line in points[_key(row)]]
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
                    log.append(f"{_key(row)} {column}: {here!r} here, {there!r} stored")
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
        return _text(there) == _text(here)
    return math.isclose(there, here, rel_tol=allowed, abs_tol=allowed)


# --- computing -------------------------------------------------------------------------------------------------------


def _computed(
    name: str, rows: Sequence[Row], job: _Job, base: Stored | None, made_by: dict[str, Any], *, whole: bool,
    **spread: Any,
) -> Stored:  # fmt: skip
    """Compute what is not there yet, store each point as it comes, write the table and return what it says."""
    started = datetime.now(UTC)
    with closing(_Points(name, made_by)) as points:
        begun = points.begin() if whole else 0
        done = {} if base is None else _points_of(base)
        done = {key: point for key, point in done.items() if not point.failure}
        done |= {key: point for key, point in points.finished(begun).items() if not point.failure}
        missing = [row for row in rows if _key(row) not in done]
        for number, point in each(job, missing, what=name, **spread):
            points.keep(missing[number], point, begun)
            done[_key(missing[number])] = point
        runs = [] if base is None else list(base.manifest["runs"])
        before = set() if base is None else set(base.points())
        computed = [point.seconds for key, point in points.finished(begun).items() if key not in before]
        if computed:
            runs.append(_run_record(started, len(computed), sum(computed), job.device))
        _write(name, computed_folder(), rows, done, made_by | {"runs": runs})
        points.end(begun)
    written = stored(name, computed_folder())
    assert written is not None
    return written


def _points_of(known: Stored) -> dict[str, _Point]:
    """Return the points of a stored table."""
    found = {}
    for key, lines in known.points().items():
        given = json.loads(key)
        records = [{k: v for k, v in known.rows[n].items() if k not in given and k != "failure"} for n in lines]
        arrays = [known.arrays[n] if known.arrays else {} for n in lines]
        found[key] = _Point(records, arrays, known.rows[lines[0]].get("failure") or "", 0.0)
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


class _Points:
    """Finished points in ``executed/studies/<name>.sqlite``; several runs may share it."""

    def __init__(self, name: str, made_by: Mapping[str, Any]) -> None:
        self.path = executed() / "studies" / f"{name}.sqlite"
        self.made_by = json.dumps(made_by, sort_keys=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.base = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            self.base.execute("PRAGMA journal_mode=WAL")
            self.base.execute("CREATE TABLE IF NOT EXISTS study (name TEXT PRIMARY KEY)")
            self.base.execute("INSERT OR IGNORE INTO study VALUES (?)", (name,))
            self.base.execute(
                "CREATE TABLE IF NOT EXISTS runs"
                " (number INTEGER PRIMARY KEY AUTOINCREMENT, made_by TEXT, ended INTEGER)"
            )
            self.base.execute(
                "CREATE TABLE IF NOT EXISTS points (made_by TEXT, run INTEGER, point TEXT, records TEXT, arrays BLOB,"
                " failure TEXT, seconds REAL, PRIMARY KEY (made_by, point))"
            )
            names = [row[0] for row in self.base.execute("SELECT name FROM study")]
            self.base.execute("SELECT made_by, run, point, records, arrays, failure, seconds FROM points LIMIT 1")
        except sqlite3.DatabaseError as error:
            self.close()
            if "locked" in str(error):
                raise
            msg = f"{_shown(self.path)} does not hold the points of a study ({error}): move it away and run again."
            raise InputError(msg) from None
        if names != [name]:
            self.close()
            msg = f"{_shown(self.path)} holds points of {names[0]!r} and not of {name!r}: move it away and run again."
            raise InputError(msg)

    def close(self) -> None:
        """Close the file."""
        self.base.close()

    def begin(self) -> int:
        """Return the number of the run of everything that is under way, or of a new one."""
        self.base.execute("BEGIN IMMEDIATE")
        query = "SELECT MAX(number) FROM runs WHERE made_by = ? AND ended = 0"
        (number,) = self.base.execute(query, (self.made_by,)).fetchone()
        if number is None:
            added = self.base.execute("INSERT INTO runs (made_by, ended) VALUES (?, 0)", (self.made_by,))
            number = added.lastrowid
        self.base.execute("COMMIT")
        return int(number)

    def end(self, run: int) -> None:
        """Close a run of everything: the next one starts anew."""
        self.base.execute("UPDATE runs SET ended = 1 WHERE number = ?", (run,))

    def keep(self, row: Row, point: _Point, run: int) -> None:
        """Store a finished point."""
        values = (self.made_by, run, _key(row), json.dumps(point.records), _packed(point.arrays))
        self.base.execute(
            "INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, point.failure, point.seconds)
        )

    def finished(self, run: int) -> dict[str, _Point]:
        """Return the points of a run of everything, or with 0 those of any run, by their keys."""
        query = "SELECT point, records, arrays, failure, seconds FROM points WHERE made_by = ? AND run >= ?"
        return {
            key: _Point(json.loads(records), _unpacked(arrays), failure, seconds)
            for key, records, arrays, failure, seconds in self.base.execute(query, (self.made_by, run))
        }


def _packed(arrays: Sequence[Mapping[str, NDArray]]) -> bytes:
    """Write the arrays of a point's records as bytes."""
    buffer = io.BytesIO()
    named = {f"{number} {name}": array for number, own in enumerate(arrays) for name, array in own.items()}
    np.savez(buffer, n=np.array(len(arrays)), **named)  # type: ignore[arg-type]
    return buffer.getvalue()


def _unpacked(packed: bytes) -> list[dict[str, NDArray]]:
    """Read what :func:`_packed` wrote."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as held:
        found: list[dict[str, NDArray]] = [{} for _ in range(int(held["n"]))]
        for label in (label for label in held.files if label != "n"):
            number, _, name = label.partition(" ")
            found[int(number)][name] = held[label]
    return found


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
