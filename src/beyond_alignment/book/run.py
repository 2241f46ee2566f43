"""Runs the notebooks by papermill, writing under ``executed/`` alone, and publishes what a whole run gave."""

import fcntl
import json
import os
import resource
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from beyond_alignment.book.notebook import (
    declared,
    find_page,
    notebook_file,
    page_names,
    read_json,
    read_notebook,
    to_text,
    transplant,
)
from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path, write_text
from beyond_alignment.project import executed, root
from beyond_alignment.study import PROGRESS, SCHEDULER

KERNEL = "python3"
EXPECTED_SECONDS = 60.0
QUIET = {"record_timing": False, "coalesce_streams": True, "extra_arguments": ["--log-level=50"]}


class PageError(RuntimeError):
    """A page stopped with an error of its own: one sentence naming page, cell and error."""


def executed_file(page: str) -> Path:
    """Return the path of an executed page."""
    return executed() / f"{page}.ipynb"


def run_book(
    *,
    only: Sequence[str] = (),
    start: str | None = None,
    recompute: str = "check",
    device: str = "auto",
    scheduler: str | None = None,
) -> list[str]:
    """Run pages in order and return their names.

    Parameters
    ----------
    only
        Pages by name or number; all when empty.
    start
        First page, by name or number.
    recompute
        ``check``, ``missing`` or ``all``: the parameter of every page.
    device
        ``auto``, ``cpu`` or ``cuda``: the same.
    scheduler
        Address of a Dask scheduler, whose workers have the same checkout; it computes the points of the studies.

    Raises
    ------
    InputError
        If there is no such page, or the book is being run already.
    PageError
        If a page fails; the pages before it stay.
    """
    names = page_names()
    wanted = {find_page(name) for name in only} or set(names)
    first = names.index(find_page(start)) if start is not None else 0
    pages = [name for name in names[first:] if name in wanted]
    with _lock(), _environment(scheduler):
        _remove_leftovers()
        with _Shown(pages) as shown:
            for page in pages:
                shown.start(page)
                given = {"recompute": recompute, "device": device}
                execute(page, executed_file(page), given, on_cell=shown.cell)
                shown.finish(page)
    return pages


def execute(page: str, target: Path, given: dict[str, Any], *, on_cell: Callable[[int, int], None]) -> None:
    """Run a page into ``target``, with those of the given parameters that it declares; whole or not at all.

    Raises
    ------
    PageError
        If a cell raises, the kernel dies, or the page writes no results; the notebook is kept under ``failed``.
    """
    source = read_notebook(page)
    parameters = {key: value for key, value in given.items() if key in declared(page, source)}
    results = executed() / "results" / f"{page}.json"
    results.unlink(missing_ok=True)
    with atomic_path(target) as temporary:
        _papermill(page, str(temporary), parameters, on_cell)
        temporary.write_text(to_text(transplant(source, read_json(temporary))), encoding="utf-8")
    if not results.is_file():
        raise PageError(f"Page {page} ran but wrote no results: end it with `page.close()`.")


def _papermill(page: str, output: str, parameters: dict[str, Any], on_cell: Callable[[int, int], None]) -> None:
    """Run the notebook into ``output``; on an error keep what was run so far."""
    import papermill  # slow to import
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.engines import NBClientEngine, papermill_engines
    from papermill.exceptions import PapermillExecutionError

    at = [0, 0]

    class Reporting(NBClientEngine):
        """Runs a notebook, tells which cell is next and leaves no timestamps."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> None:
            """Run every cell in order."""
            start = nb_man.cell_start

            def cell_start(cell: Any, cell_index: int | None = None, **more: Any) -> None:
                at[:] = (cell_index or 0) + 1, len(nb_man.nb.cells)
                on_cell(*at)
                start(cell, cell_index, **more)

            nb_man.cell_start = cell_start
            super().execute_managed_notebook(nb_man, kernel_name, **QUIET, **kwargs)

    papermill_engines.register("beyond_alignment", Reporting)
    notebook = notebook_file(page)
    how = {"engine_name": "beyond_alignment", "kernel_name": KERNEL, "language": "python", "cwd": notebook.parent}
    try:
        papermill.execute_notebook(notebook, output, parameters=parameters, progress_bar=False, **how)
    except (PapermillExecutionError, DeadKernelError, CellTimeoutError) as error:
        kept = executed() / "failed" / f"{page}.ipynb"
        write_text(kept, Path(output).read_text(encoding="utf-8"))
        reason = f"the kernel stopped ({type(error).__name__}), most often for want of memory"
        if isinstance(error, PapermillExecutionError):
            reason = f"{error.ename}: {error.evalue}"
        sentence = " ".join(reason.split()).rstrip(".")
        place = kept.relative_to(root()) if kept.is_relative_to(root()) else kept
        msg = f"Page {page} failed in cell {at[0]} of {at[1]}: {sentence}; it is kept as {place}."
        raise PageError(msg) from error


@contextmanager
def _environment(scheduler: str | None) -> Iterator[None]:
    """Give the kernels this environment's Python, this project, a scheduler, and a file to say how far studies are."""
    wanted = {
        "BEYOND_ALIGNMENT_ROOT": str(root()),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        PROGRESS: str(executed() / "progress"),
        **({} if scheduler is None else {SCHEDULER: scheduler}),
    }
    before = dict(os.environ)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def publish() -> list[Path]:
    """Copy the outputs of a whole run over ``notebooks/``, ``results/`` and ``data/``; return the files that changed.

    Raises
    ------
    InputError
        If a page has not been run as it is now.
    """
    texts = {}
    for page in page_names():
        made = fresh(page)
        if made is None:
            raise InputError(f"Page {page} has not been run as it is now: run `beyond-alignment book run` first.")
        texts[notebook_file(page)] = to_text(made)
    changed = []
    for path, text in texts.items():
        if text != path.read_text(encoding="utf-8"):
            write_text(path, text)
            changed.append(path)
    for place in ("results", "data"):
        for source in sorted(path for path in (executed() / place).rglob("*") if path.is_file()):
            target = root() / place / source.relative_to(executed() / place)
            if source.parent.name == "checks" or source.name.startswith("."):
                continue
            if not target.is_file() or target.read_bytes() != source.read_bytes():
                with atomic_path(target) as temporary:
                    shutil.copyfile(source, temporary)
                changed.append(target)
    return changed + _superseded()


def _superseded() -> list[Path]:
    """Remove tables and figures that no page shows any more, and return them."""
    gone = []
    for kind in ("tables", "figures"):
        for path in sorted((root() / "results" / kind).glob("*")):
            if not (executed() / "results" / kind / path.name).is_file():
                path.unlink()
                gone.append(path)
    return gone


def fresh(page: str) -> dict[str, Any] | None:
    """Return an executed page, or None where there is none of the notebook as it is now."""
    path = executed_file(page)
    try:
        return transplant(read_notebook(page), read_json(path)) if path.is_file() else None
    except ValueError:
        return None


@contextmanager
def _lock() -> Iterator[None]:
    """Keep a second run of the book away; the system lets go when the process ends, however it ends."""
    path = executed() / ".lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            owner = stream.read().strip() or "unknown"
            msg = f"The book is already being run by process {owner}: wait for it, or stop it, and run again."
            raise InputError(msg) from None
        stream.seek(0)
        stream.truncate()
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def _remove_leftovers() -> None:
    """Remove temporary files that a killed run left; those of the last hour may belong to a run that goes on."""
    for path in executed().rglob(".*.????????.*"):
        if path.is_file() and time.time() - path.stat().st_mtime > 3600:
            path.unlink(missing_ok=True)


def durations() -> dict[str, dict[str, Any]]:
    """Return seconds, memory, device and date of the last run of each page, here or else as committed."""
    found: dict[str, dict[str, Any]] = {}
    for place in (root() / "results", executed() / "results"):
        path = place / "runs.json"
        if path.is_file():
            found |= json.loads(path.read_text(encoding="utf-8"))
    return found


class _Shown:
    """Shows a run: a bar that moves with the cells on a terminal, and one line a finished page everywhere."""

    def __init__(self, pages: Sequence[str]) -> None:
        self.console = Console(stderr=True)
        known = durations()
        self.expected = {page: known.get(page, {}).get("seconds", EXPECTED_SECONDS) for page in pages}
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("cell {task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(), TextColumn("{task.fields[left]} to go  {task.fields[study]}"),
            console=self.console, transient=True, disable=not self.console.is_terminal, get_time=time.monotonic,
        )  # fmt: skip
        self.task = self.bar.add_task("", total=1, left="", study="")
        self.page, self.began, self.total, self.number = "", 0.0, len(pages), 0
        self.ended = threading.Event()

    def __enter__(self) -> "_Shown":
        self.bar.start()
        if self.console.is_terminal:
            threading.Thread(target=self._follow, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.bar.stop()

    def _follow(self) -> None:
        """Show every second how far the study of the page is, and how long the rest takes."""
        while not self.ended.wait(1.0):
            progress = executed() / "progress"
            with suppress(OSError):
                study = progress.read_text(encoding="utf-8") if progress.is_file() else ""
                self.bar.update(self.task, left=_clock(self._left()), study=study)

    def _left(self) -> float:
        """Estimate the seconds to go, this page included."""
        current = max(self.expected.get(self.page, 0.0) - (time.monotonic() - self.began), 0.0)
        return current + sum(seconds for page, seconds in self.expected.items() if page > self.page)

    def start(self, page: str) -> None:
        """Note that a page starts."""
        self.page, self.began, self.number = page, time.monotonic(), self.number + 1
        self.bar.reset(self.task, description=f"[{self.number}/{self.total}] {page}", total=1, left="", study="")

    def cell(self, number: int, total: int) -> None:
        """Say which cell is next."""
        self.bar.update(self.task, completed=number, total=total, left=_clock(self._left()))

    def finish(self, page: str) -> None:
        """Say in one line that a page is done and what it took, and keep that."""
        seconds = time.monotonic() - self.began
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
        device = json.loads((executed() / "results" / f"{page}.json").read_text(encoding="utf-8"))["device"]
        record = {"seconds": round(seconds), "peak_gb": round(memory, 1), "device": device}
        record["date"] = datetime.now(UTC).date().isoformat()
        path = executed() / "results" / "runs.json"
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        write_text(path, json.dumps(kept | {page: record}, indent=1, sort_keys=True) + "\n")
        self.expected[page] = seconds
        left = sum(seconds for other, seconds in self.expected.items() if other > page)
        rest = f"; about {_clock(left)} to go" if left else ""
        line = f"[{self.number}/{self.total}] {page}: {_clock(seconds)}, {record['peak_gb']} GB, {device}{rest}"
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def _clock(seconds: float) -> str:
    """Write a duration as ``h:mm:ss`` or ``m:ss``."""
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
