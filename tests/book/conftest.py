"""A tiny book of three pages, and the recorder of one."""

import json
import os
import subprocess
import sys
import textwrap

import matplotlib as mpl
import pytest

import beyond_alignment.book.page as page_module

PARAMETERS = 'recompute = "check"\ndevice = "cpu"\nseed = 1\nnames = ["a", "b"]\nrate = 0.5'
IMPORTS = """import random
import time

from beyond_alignment.book import Page
from beyond_alignment.project import root
"""
MAKE = 'page = Page("{page}", globals())\nrandom.seed(seed)'
BODIES = {
    "01_first": 'time.sleep(0.2)\nclaim = ("B1", random.random(), "replicated")',
    "02_second": 'claim = ("B2", rate, "not replicated")',
    "03_third": 'claim = ("B3", int((root() / "data" / "a.txt").read_text()), "replicated")',
}
CLAIM = 'page.claims([{"claim": claim[0], "measured": "x", "value": claim[1], "data": "a", "verdict": claim[2]}])'


def cell(source, *, tags=(), kind="code", number=0):
    base = {
        "cell_type": kind,
        "id": f"cell-{number}",
        "metadata": {"tags": list(tags)} if tags else {},
        "source": source,
    }
    return base | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def mini_notebook(page):
    """Build a page that runs in seconds."""
    sources = [
        cell(f"# {page}", kind="markdown", number=0),
        cell(PARAMETERS, tags=["parameters"], number=1),
        cell(IMPORTS + MAKE.format(page=page), number=2),
        cell(BODIES[page], number=3),
        cell(f"{CLAIM}\nprint(claim, names)\nseed", number=4),
        cell("page.close()", tags=["nbval-ignore-output"], number=5),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": sources, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


class Project:
    """A tiny book and how a test handles it."""

    def __init__(self, root):
        self.root = root

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def notebook(self, page):
        return json.loads((self.root / "notebooks" / f"{page}.ipynb").read_text())

    def edit(self, page, number, source):
        content = self.notebook(page)
        content["cells"][number]["source"] = source
        self.write(f"notebooks/{page}.ipynb", json.dumps(content))

    def files(self, *places):
        """Return every file under some folders with its bytes, but what a run takes and its lock."""
        found = [path for place in places for path in (self.root / place).rglob("*") if path.is_file()]
        named = {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found}
        return {name: content for name, content in named.items() if not name.endswith(("runs.json", ".lock"))}

    def command(self, *arguments, **options):
        """Start the command line on this project."""
        environment = {**os.environ, "BEYOND_ALIGNMENT_ROOT": str(self.root)}
        environment.pop("BEYOND_ALIGNMENT_EXECUTED", None)
        command = [sys.executable, "-m", "beyond_alignment.cli", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=environment, **(pipes | options))

    def run(self, *arguments):
        """Run the command line to its end: exit code, stdout, stderr."""
        process = self.command(*arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


def fill(root):
    project = Project(root)
    project.write("_toc.yml", "root: index\nchapters:\n- file: notebooks/01_first\n")
    project.write("data/a.txt", "3")
    for page in BODIES:
        project.write(f"notebooks/{page}.ipynb", json.dumps(mini_notebook(page)))
    return project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make a book of three pages that nothing has been run of."""
    monkeypatch.setenv("BEYOND_ALIGNMENT_ROOT", str(tmp_path))
    monkeypatch.delenv("BEYOND_ALIGNMENT_EXECUTED", raising=False)
    return fill(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Run a book once for the tests that only read what a run leaves: project, its files before the run, exit code."""
    project = fill(tmp_path_factory.mktemp("whole"))
    before = project.files("notebooks", "results", "data")
    return project, before, project.run("book", "run")


@pytest.fixture(autouse=True)
def style():
    """A page sets the style of figures; the tests after it have matplotlib's own."""
    with mpl.rc_context():
        yield


@pytest.fixture
def glued(monkeypatch):
    """Collect what a page hands to the prose."""
    collected = {}
    monkeypatch.setattr(page_module, "_glue", collected.__setitem__)
    return collected


@pytest.fixture
def shown(monkeypatch):
    """Collect what a page shows."""
    collected = []
    monkeypatch.setattr("IPython.display.display", collected.append)
    return collected
