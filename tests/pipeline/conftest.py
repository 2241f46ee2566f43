import json
import os
import subprocess
import sys
import textwrap

import pytest

QUICK = """
description: Small.
pages:
  01_first: {parameters: {seed: 1, names: [a, b]}, expected_seconds: 2}
"""
PARAMETERS = 'profile = "quick"\nseed = 1\nnames = ["a", "b"]\nrate = 0.5\ndevice = "auto"'
PAGE = 'Page("{page}", profile=profile, parameters={{"seed": seed, "names": names, "rate": rate}})'
IMPORTS = """import random
import time

from beyond_alignment.project import root
from beyond_alignment.results import Page, load
"""
MAKE = "page = " + PAGE + "\nrandom.seed(seed)"
BODIES = {
    "01_first": (
        'time.sleep(0.2)\npage.claim("B1", measured="x", value=random.random(), data="a", verdict="replicated")'
    ),
    "02_second": (
        'first = load("01_first", profile)["claims"]["B1"]["value"]\n'
        'page.claim("B2", measured="x", value=first + rate, data="a", verdict="not replicated")'
    ),
    "03_third": (
        'number = int((root() / "data" / "a.txt").read_text())\n'
        'page.claim("B3", measured="x", value=number, n=len(names), data="a", verdict="replicated")'
    ),
}
INPUTS = {"02_second": ["{results}/01_first.json"], "03_third": ["data/a.txt"]}


def cell(source, *, tags=(), kind="code", number=0):
    base = {
        "cell_type": kind,
        "id": f"cell-{number}",
        "metadata": {"tags": list(tags)} if tags else {},
        "source": source,
    }
    return base | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def mini_notebook(page):
    """Build a page that imports nothing but the results layer and runs in a second."""
    sources = [
        cell(f"# {page}", kind="markdown", number=0),
        cell(PARAMETERS, tags=["parameters"], number=1),
        cell(IMPORTS + MAKE.format(page=page), number=2),
        cell(BODIES[page], number=3),
        cell("page.write()\nprint(page.content()['claims'])\nseed", number=4),
    ]
    metadata = {"beyond_alignment": {"inputs": INPUTS.get(page, [])}}
    return {"cells": sources, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


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
        """Return every file under some folders with its bytes."""
        found = [path for place in places for path in (self.root / place).rglob("*") if path.is_file()]
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found}

    def command(self, *arguments, **options):
        """Start the command line on this project."""
        environment = {**os.environ, "BEYOND_ALIGNMENT_ROOT": str(self.root)}
        environment.pop("BEYOND_ALIGNMENT_RESULTS", None)
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
    project.write("src/package/module.py", "x = 1\n")
    project.write("data/a.txt", "3")
    project.write("notebooks/profiles/quick.yaml", QUICK)
    project.write("notebooks/profiles/full.yaml", "pages: {02_second: {parameters: {rate: 2}}}\n")
    for page in BODIES:
        project.write(f"notebooks/{page}.ipynb", json.dumps(mini_notebook(page)))
    return project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make a book of three pages that nothing has been run of."""
    monkeypatch.setenv("BEYOND_ALIGNMENT_ROOT", str(tmp_path))
    monkeypatch.delenv("BEYOND_ALIGNMENT_RESULTS", raising=False)
    return fill(tmp_path)
