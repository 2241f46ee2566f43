"""The most memory that the processes of a page held at once."""

import threading
from types import TracebackType
from typing import Self

import psutil

INTERVAL_SECONDS = 0.25
MIB = 2**20


class PeakMemory:
    """Watches the child processes of this one while a page runs, as a context manager.

    Attributes
    ----------
    mb
        Largest sum of their resident memory seen so far, in MiB.
    """

    def __init__(self) -> None:
        self.mb = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        """Look every quarter of a second."""
        while not self._done.wait(INTERVAL_SECONDS):
            self.mb = max(self.mb, sum(map(_resident, psutil.Process().children(recursive=True))) / MIB)


def _resident(process: psutil.Process) -> int:
    """Return the resident memory of a process, nothing when it has just ended."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
