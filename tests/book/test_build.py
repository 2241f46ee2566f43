import json

import pytest

from beyond_alignment.book import build

CONFIG = """
title: Small
only_build_toc_files: true
exclude_patterns: [_build, executed, ".*/**", "**/.*"]
execute: {execute_notebooks: "off"}
"""


@pytest.fixture
def small(project):
    """A book of one page of prose."""
    project.write("_config.yml", CONFIG)
    project.write("_toc.yml", "format: jb-book\nroot: book/index\n")
    return project


def test_the_copy_has_pages_as_they_were_run_and_others_as_they_are_committed(project):
    ran = project.notebook("01_first")
    for cell in (cell for cell in ran["cells"] if cell["cell_type"] == "code"):
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "of this run"}]
    project.write("executed/01_first.ipynb", json.dumps(ran))
    project.write("executed/02_second.ipynb", json.dumps(ran))  # of another notebook than the one that is committed
    place = project.root / "executed/book"
    assert build.stage(place) == ["02_second", "03_third"]
    shown = {page: (place / f"notebooks/{page}.ipynb").read_text() for page in ("01_first", "02_second", "03_third")}
    assert ["of this run" in text for text in shown.values()] == [True, False, False]


def test_a_warning_of_jupyter_book_stops_the_build(small, capsys):
    small.write("book/index.md", "# Small\n\n{ref}`nowhere`\n")
    with pytest.raises(build.BuildError, match="jupyter-book build"):
        build.build_book()
    assert "nowhere" in capsys.readouterr().err


def test_a_whole_book_is_built_and_writes_nothing_else(small):
    small.write("book/index.md", "# Small\n")
    before = small.files("notebooks", "book", "results")
    page, _ = build.build_book()
    assert "Small" in (page.parent / "book/index.html").read_text()
    assert page.is_file()
    assert small.files("notebooks", "book", "results") == before
    assert {path.name for path in small.root.iterdir()} == {
        *("_build", "_config.yml", "_toc.yml", "book", "data", "executed", "notebooks")
    }
