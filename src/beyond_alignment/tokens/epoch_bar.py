"""One bar over the epochs of all folds of an arm, with the time to go."""

from collections.abc import Callable
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class EpochBar:
    """Shows epochs, the loss on the validation part, and the time to go.

    Parameters
    ----------
    shown
        Whether anything is shown.
    """

    def __init__(self, shown: bool = True) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            disable=not shown,
        )
        self._epochs = 0

    def __enter__(self) -> "EpochBar":
        self._progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._progress.__exit__(kind, error, where)

    def start(self, description: str, *, folds: int, epochs: int) -> None:
        """Begin an arm."""
        self._epochs = epochs
        self._job = self._progress.add_task(description, total=folds * epochs, loss="")

    def epoch_of(self, fold: int) -> Callable[[dict[str, float]], None]:
        """Return what is called with each row of the curve of a fold, which starts where the one before it ended."""
        self._progress.update(self._job, completed=fold * self._epochs)

        def tell(row: dict[str, float]) -> None:
            done = fold * self._epochs + int(row["epoch"])
            self._progress.update(self._job, completed=done, loss=f"validation {row['validation']:.4f}")

        return tell

    def finish(self) -> None:
        """End an arm."""
        task = next(task for task in self._progress.tasks if task.id == self._job)
        self._progress.update(self._job, completed=task.total)
