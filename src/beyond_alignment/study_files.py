"""Studies on disk: the committed table with its arrays and manifest, and the points of a run under way."""

import io
import json
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path, file_sha256, write_text
from beyond_alignment.project import executed, root

Row = dict[str, Any]
KINDS: dict[str, Callable[[Any], Any]] = {"bool": lambda text: text == "True", "int": int, "float": float, "str": str}
FORMAT = "beyond-alignment study 1"


class Point(NamedTuple):
    """What a point gave: numbers and words, arrays, or the reason why there are none."""

    records: list[Row]
    arrays: list[dict[str, NDArray]]
    failure: str
    seconds: float


def parted(records: Sequence[Mapping[str, Any]]) -> tuple[list[Row], list[dict[str, NDArray]]]:
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


def point_key(row: Mapping[str, Any]) -> str:
    """Return what identifies a point."""
    return json.dumps(row, sort_keys=True)


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

    @cached_property
    def points(self) -> dict[str, list[int]]:
        """The lines of each point by its key."""
        found: dict[str, list[int]] = {}
        for number, row in enumerate(self.rows):
            found.setdefault(point_key({name: row[name] for name in self.manifest["plan"]}), []).append(number)
        return found

    def table(self, held: Sequence[Row]) -> pd.DataFrame:
        """Return the lines of some points, arrays among the columns."""
        chosen = [number for row in held for number in self.points[point_key(row)]]
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
        msg = f"{shown(files['json'])} does not describe study {name}: restore it from version control."
        raise InputError(msg)
    for kind, expected in hashes.items():
        if not files[kind].is_file() or file_sha256(files[kind]) != expected:
            msg = f"{shown(files[kind])} is not the file that its .json describes: restore it from version control."
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


def shown(path: Path) -> str:
    """Name a file from the project's root."""
    return path.relative_to(root()).as_posix() if path.is_relative_to(root()) else path.name


def write_study(
    name: str, place: Path, rows: Sequence[Row], done: Mapping[str, Point], manifest: dict[str, Any]
) -> None:
    """Write table, arrays and manifest, the manifest last; a reader refuses what it does not describe."""
    lines, arrays = [], []
    for row in (row for row in rows if point_key(row) in done):
        point = done[point_key(row)]
        for record, own in zip(point.records, point.arrays, strict=True):
            lines.append({**row, **record, **({"failure": point.failure} if point.failure else {})})
            arrays.append(own)
    columns = list(dict.fromkeys(column for line in lines for column in line))
    kinds = {column: _kind([line.get(column) for line in lines]) for column in columns}
    files = _files(place, name)
    text = pd.DataFrame([[cell_text(line.get(column)) for column in columns] for line in lines], columns=columns)
    with atomic_path(files["csv"]) as temporary:
        text.to_csv(temporary, index=False, lineterminator="\n")
    hashes = {"csv": file_sha256(files["csv"])}
    if any(arrays):
        _write_arrays(files["parquet"], arrays)
        hashes["parquet"] = file_sha256(files["parquet"])
    else:
        files["parquet"].unlink(missing_ok=True)
    failed = [{"point": row, "why": done[point_key(row)].failure} for row in rows if point_key(row) in done]
    content = {
        "format": FORMAT,
        "study": name,
        **manifest,
        "plan": list(rows[0]) if rows else [],
        "columns": kinds,
        "points": sum(point_key(row) in done for row in rows),
        "planned": len(rows),
        "failed": [one for one in failed if one["why"]],
        "sha256": hashes,
    }
    write_text(files["json"], json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def cell_text(value: Any) -> str:
    """Write a cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value)


def _kind(values: Sequence[Any]) -> str:
    """Name the type of a column."""
    types = {type(value).__name__ for value in values if cell_text(value)}
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


class Points:
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
            msg = f"{shown(self.path)} does not hold the points of a study ({error}): move it away and run again."
            raise InputError(msg) from None
        if names != [name]:
            self.close()
            msg = f"{shown(self.path)} holds points of {names[0]!r} and not of {name!r}: move it away and run again."
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

    def keep(self, row: Row, point: Point, run: int) -> None:
        """Store a finished point."""
        values = (self.made_by, run, point_key(row), json.dumps(point.records), _packed(point.arrays))
        self.base.execute(
            "INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, point.failure, point.seconds)
        )

    def finished(self, run: int) -> dict[str, Point]:
        """Return the points of a run of everything, or with 0 those of any run, by their keys."""
        query = "SELECT point, records, arrays, failure, seconds FROM points WHERE made_by = ? AND run >= ?"
        return {
            key: Point(json.loads(records), _unpacked(arrays), failure, seconds)
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
