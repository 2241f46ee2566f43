"""What a run tells while it goes: which notebook, which cell, elapsed, time to go."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from beyond_alignment.pipeline import manifest
from beyond_alignment.pipeline.profiles import PagePlan


def duration(seconds: float) -> str:
    """Return a duration as ``h:mm:ss`` or ``m:ss``."""
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def expected_seconds(plan: PagePlan) -> float:
    """Return how long a page took last time, else what its profile expects."""
    last = manifest.read(plan.name, plan.profile)
    return last.seconds if last else plan.expected_seconds


class RunProgress:
    """Shows a run: a bar that moves with the cells on a terminal, and one line a finished page everywhere.

    Parameters
    ----------
    plans
        The pages that are going to be run.
    console
        Where to show it.
    """

    def __init__(self, plans: list[PagePlan], console: Console):
        self._console = console
        self._expected = {plan.name: expected_seconds(plan) for plan in plans}
        self._total = len(plans)
        self._number = 0
        self._began = 0.0
        self._bar = Progress(
            TextColumn("[{task.fields[number]}] {task.description}"),
            BarColumn(),
            TextColumn("cell {task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]} to go"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._page = ""
        self._causes: list[str] = []

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, page: str, causes: list[str]) -> None:
        """Note that a page starts, and why."""
        self._number += 1
        self._page, self._causes, self._began = page, causes, time.monotonic()
        if self._task is not None:
            self._bar.remove_task(self._task)
        number, left = f"{self._number}/{self._total}", duration(self._left())
        self._task = self._bar.add_task(page, total=1, number=number, left=left)

    def cell(self, number: int, total: int) -> None:
        """Say which cell is next."""
        if self._task is not None:
            self._bar.update(self._task, completed=number, total=total, left=duration(self._left()))

    def finish(self, made: manifest.Manifest) -> None:
        """Say in one line that the page is done, what it took, and why it was run."""
        self._expected.pop(made.page, None)
        took = f"{duration(made.seconds)}, {made.peak_memory_mb:.0f} MiB, {made.device}"
        rest = f"; about {duration(sum(self._expected.values()))} to go" if self._expected else ""
        line = f"[{self._number}/{self._total}] {made.page}: {took} ({'; '.join(self._causes)}){rest}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _left(self) -> float:
        """Estimate the seconds to go, this page included."""
        current = max(self._expected.get(self._page, 0.0) - (time.monotonic() - self._began), 0.0)
        return current + sum(seconds for page, seconds in self._expected.items() if page != self._page)
