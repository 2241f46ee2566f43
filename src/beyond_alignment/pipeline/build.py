"""The HTML book of a profile, from fresh pages only."""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

from beyond_alignment.errors import InputError
from beyond_alignment.files import write_text
from beyond_alignment.pipeline.clean import read_json, to_text
from beyond_alignment.pipeline.freshness import stale_because
from beyond_alignment.pipeline.places import book_folder, executed_file
from beyond_alignment.pipeline.profiles import Profile, load_profile
from beyond_alignment.pipeline.publish import publish
from beyond_alignment.project import root
from beyond_alignment.results.locations import QUICK

JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"
NOT_STAGED = {"_build", "executed", "notebooks", "data", "results", "src", "tests"}


class BuildError(RuntimeError):
    """Jupyter Book stopped, or warned: one sentence, after its log."""


def build_book(profile_name: str = QUICK) -> Path:
    """Build a profile's book, every warning an error, and return the page to open.

    ``quick`` is built from the committed notebooks, after their outputs were brought up to date; any other profile
    from a staging copy with its executed pages.

    Parameters
    ----------
    profile_name
        Name of the profile.

    Raises
    ------
    InputError
        If a page is stale; each is named with what changed.
    BuildError
        If Jupyter Book fails or warns; its log is printed.
    """
    profile = load_profile(profile_name)
    refuse_stale(profile)
    folder = book_folder(profile.name)
    if profile.name == QUICK:
        publish(profile)
    else:
        stage(profile, folder)
    _jupyter_book("clean", str(folder), "--all")
    _jupyter_book("build", str(folder), "--all", "-W", "-n", "--keep-going")
    return folder / "_build" / "html" / "index.html"


def refuse_stale(profile: Profile) -> None:
    """Refuse a profile of which a page is not fresh.

    Raises
    ------
    InputError
        If a page is stale; each is named with what changed.
    """
    stale = {plan.name: causes for plan in profile.pages if (causes := stale_because(plan))}
    if stale:
        names = "; ".join(f"{name} ({', '.join(causes)})" for name, causes in stale.items())
        msg = f"Stale pages: {names}; run `beyond-alignment book run --profile {profile.name}` first."
        raise InputError(msg)


def stage(profile: Profile, folder: Path) -> None:
    """Copy the book with the executed pages of a profile.

    The cell of default parameters is left out of the pages there: it shows what ``quick`` ran with.

    Parameters
    ----------
    profile
        The profile.
    folder
        Where to; emptied before.
    """
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for path in sorted(root().iterdir()):
        if path.name.startswith(".") or path.name in NOT_STAGED:
            continue
        if path.is_dir():
            shutil.copytree(path, folder / path.name)
        else:
            shutil.copy2(path, folder / path.name)
    for plan in profile.pages:
        notebook = copy.deepcopy(read_json(executed_file(plan.name, profile.name)))
        for cell in notebook["cells"]:
            tags = cell["metadata"].get("tags", [])
            if "parameters" in tags:
                cell["metadata"]["tags"] = sorted({*tags, "remove-cell"})
        write_text(folder / "notebooks" / f"{plan.name}.ipynb", to_text(notebook))


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
