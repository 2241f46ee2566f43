"""One page, executed by papermill, whole or not at all."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from beyond_alignment.files import atomic_path, write_text
from beyond_alignment.pipeline import manifest
from beyond_alignment.pipeline.clean import read_json, to_text, transplant
from beyond_alignment.pipeline.memory import PeakMemory
from beyond_alignment.pipeline.places import executed_file, failed_file, shown
from beyond_alignment.pipeline.profiles import PagePlan
from beyond_alignment.project import root
from beyond_alignment.results import page_file
from beyond_alignment.results.hashing import notebook_file, read_notebook

KERNEL = "python3"


class PageError(RuntimeError):
    """A page stopped with an error of its own: one sentence naming page, cell and error."""


def execute_page(plan: PagePlan, *, device: str, on_cell: Callable[[int, int], None]) -> manifest.Manifest:
    """Run one page, keep the executed notebook, and record its manifest last.

    Parameters
    ----------
    plan
        The page.
    device
        ``auto``, ``cpu`` or ``cuda``; handed to the notebook's parameter ``device`` where it has one.
    on_cell
        Called with the number of the cell, from 1, and the number of cells.

    Raises
    ------
    PageError
        If a cell raises, the kernel dies, or the page writes no results; the notebook is kept under ``failed``.
    """
    made_from = manifest.ingredients(plan)
    source = read_notebook(plan.name)
    target = executed_file(plan.name, plan.profile)
    began = time.monotonic()
    with atomic_path(target) as temporary, PeakMemory() as memory:
        _papermill(plan, str(temporary), device, on_cell)
        temporary.write_text(to_text(transplant(source, read_json(temporary))), encoding="utf-8")
    if not page_file(plan.name, plan.profile).is_file():
        msg = f"Page {plan.name} ran but wrote no results: end it with `page.write()`."
        raise PageError(msg)
    failed_file(plan.name, plan.profile).unlink(missing_ok=True)
    return manifest.record(plan, made_from, seconds=time.monotonic() - began, peak_memory_mb=memory.mb)


def _papermill(plan: PagePlan, output: str, device: str, on_cell: Callable[[int, int], None]) -> None:
    """Run the notebook into ``output``; on an error keep what was run so far."""
    import papermill  # slow to import, and a run in which every page is fresh does without
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from beyond_alignment.pipeline import engine

    parameters = {**plan.parameters, **({"device": device} if "device" in plan.parameters else {})}
    notebook = notebook_file(plan.name)
    at = [0, 0]

    def note(number: int, total: int) -> None:
        at[:] = number, total
        on_cell(number, total)

    try:
        with _environment(device):
            papermill.execute_notebook(
                notebook,
                output,
                parameters=parameters,
                engine_name=engine.NAME,
                kernel_name=KERNEL,
                language="python",
                cwd=notebook.parent,
                progress_bar=False,
                on_cell=note,
            )
    except (PapermillExecutionError, DeadKernelError, CellTimeoutError) as error:
        kept = failed_file(plan.name, plan.profile)
        with open(output, encoding="utf-8") as stream:
            write_text(kept, stream.read())
        if isinstance(error, PapermillExecutionError):
            reason = f"{error.ename}: {error.evalue}"
        else:
            reason = f"the kernel stopped ({type(error).__name__}), most often for want of memory"
        sentence = " ".join(reason.split()).rstrip(".")
        msg = f"Page {plan.name} failed in cell {at[0]} of {at[1]}: {sentence}; it is kept as {shown(kept)}."
        raise PageError(msg) from error


@contextmanager
def _environment(device: str) -> Iterator[None]:
    """Give the kernel this environment's Python, this project and this device."""
    wanted = {
        "BEYOND_ALIGNMENT_ROOT": str(root()),
        "BEYOND_ALIGNMENT_DEVICE": device,
        "JUPYTER_PREFER_ENV_PATH": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    before = dict(os.environ)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
