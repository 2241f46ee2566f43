"""One download over the network, with a progress bar on a terminal."""

from pathlib import Path

import pooch
import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

TIMEOUT_SECONDS = 20
_CHUNK = 1 << 16


class Unreachable(Exception):
    """A download that did not happen; ``offline`` says that no server answered at all."""

    def __init__(self, message: str, *, offline: bool) -> None:
        super().__init__(message)
        self.offline = offline


class _Bar:
    """The progress bar in the form that pooch's downloader drives."""

    def __init__(self, bar: Progress, label: str) -> None:
        self._bar = bar
        self._task = bar.add_task(label, total=None)

    @property
    def total(self) -> float | None:
        return self._bar.tasks[0].total

    @total.setter
    def total(self, value: int) -> None:
        self._bar.update(self._task, total=value or None)

    def update(self, amount: int) -> None:
        self._bar.advance(self._task, amount)

    def reset(self) -> None:
        self._bar.update(self._task, completed=0)

    def close(self) -> None:
        self._bar.refresh()


def download(url: str, target: Path, *, label: str, progress: bool = True) -> None:
    """Write what ``url`` serves to ``target``; the caller verifies it.

    Raises
    ------
    Unreachable
        If no server answers within 20 s, the server refuses, or the connection breaks.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not (progress and console.is_terminal))
    with bar:
        downloader = pooch.HTTPDownloader(
            progressbar=_Bar(bar, label),
            chunk_size=_CHUNK,
            timeout=TIMEOUT_SECONDS,
            headers={"Accept-Encoding": "identity"},
        )
        try:
            downloader(url, str(target), None)
        except requests.HTTPError as error:
            raise Unreachable(f"the server refused ({error})", offline=False) from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise Unreachable(f"the connection to {url} broke off", offline=False) from error
        except requests.RequestException as error:
            raise Unreachable(f"the network could not be reached ({url})", offline=True) from error
