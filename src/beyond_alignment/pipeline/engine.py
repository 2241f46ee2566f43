"""Papermill's engine, telling which cell it is at and leaving no timestamps."""

from collections.abc import Callable
from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

NAME = "beyond_alignment"
QUIET = {"record_timing": False, "coalesce_streams": True, "extra_arguments": ["--log-level=40"]}


class ReportingEngine(NBClientEngine):
    """Runs a notebook and calls ``on_cell(number, total)`` before each cell."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, *, on_cell: Callable[[int, int], None], **kwargs: Any
    ) -> None:
        """Run every cell in order.

        Parameters
        ----------
        nb_man
            Papermill's state of the run.
        kernel_name
            Name of the kernel.
        on_cell
            Called with the number of the cell, from 1, and the number of cells.
        **kwargs
            Handed on to nbclient.
        """
        start = nb_man.cell_start

        def cell_start(cell: Any, cell_index: int | None = None, **more: Any) -> None:
            on_cell((cell_index or 0) + 1, len(nb_man.nb.cells))
            start(cell, cell_index, **more)

        nb_man.cell_start = cell_start
        super().execute_managed_notebook(nb_man, kernel_name, **QUIET, **kwargs)


papermill_engines.register(NAME, ReportingEngine)
