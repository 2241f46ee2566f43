"""The HTML book, built from a copy that holds the executed pages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from beyond_alignment.book.notebook import page_names, to_text
from beyond_alignment.book.run import fresh
from beyond_alignment.files import write_text
from beyond_alignment.project import executed, root

JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"
STAGED = ("_config.yml", "_toc.yml", "book", "notebooks", "results")


class BuildError(RuntimeError):
    """Jupyter Book stopped, or warned: one sentence, after its log."""


def build_book() -> tuple[Path, list[str]]:
    """Build the book, every warning an error; return the page to open, and the pages shown as they are committed.

    A page that was run as it is now is shown as it came out, any other with its committed outputs.

    Raises
    ------
    BuildError
        If Jupyter Book fails or warns; its log is printed.
    """
    place = executed() / "book"
    committed = stage(place)
    shutil.rmtree(root() / "_build", ignore_errors=True)  # an incremental build keeps numbers that changed
    _jupyter_book("build", str(place), "--path-output", str(root()), "--all", "-W", "-n", "--keep-going")
    return root() / "_build" / "html" / "index.html", committed


def stage(place: Path) -> list[str]:
    """Copy the book with its executed pages to a folder, emptied before; return the pages that are as committed."""
    shutil.rmtree(place, ignore_errors=True)
    for name in STAGED:
        source, target = root() / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(".*"))
        elif source.is_file():
            shutil.copy2(source, target)
    made = {page: fresh(page) for page in page_names()}
    for page, notebook in made.items():
        if notebook is not None:
            write_text(place / "notebooks" / f"{page}.ipynb", to_text(notebook))
    figures = executed() / "results" / "figures"
    if figures.is_dir() and all(made.values()):
        shutil.copytree(figures, place / "results" / "figures", dirs_exist_ok=True)
    return [page for page, notebook in made.items() if notebook is None]


def _jupyter_book(*arguments: str) -> None:
    """Run Jupyter Book; its log is shown only when it fails."""
    command = [sys.executable, "-c", JUPYTER_BOOK, *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, cwd=root(), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode("utf-8", errors="replace"))
        msg = f"jupyter-book {arguments[0]} ended with exit code {done.returncode}: see its log above."
        raise BuildError(msg)
