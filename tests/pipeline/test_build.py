import json

import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.pipeline import build
from beyond_alignment.pipeline.profiles import load_profile

CONFIG = """
title: Small
only_build_toc_files: true
exclude_patterns: [_build, executed, ".*/**", "**/.*"]
execute: {execute_notebooks: "off"}
"""


@pytest.fixture
def executed(project):
    """Pretend that every page has been run in profile full."""
    for page in ("01_first", "02_second", "03_third"):
        project.write(f"executed/full/{page}.ipynb", json.dumps(project.notebook(page)))
    return project


def test_stale_pages_are_named_with_what_changed(project):
    with pytest.raises(InputError, match=r"01_first \(it has not been run\).*book run --profile full"):
        build.build_book("full")


def test_the_staging_copy_has_the_executed_pages_without_the_default_parameters(executed):
    executed.write("index.md", "# Small\n")
    executed.write("book/a.md", "# A\n")
    folder = executed.root / "executed/full/book"
    build.stage(load_profile("full"), folder)
    tags = [
        cell["metadata"].get("tags") for cell in json.loads((folder / "notebooks/01_first.ipynb").read_text())["cells"]
    ]
    assert tags[1] == ["parameters", "remove-cell"]
    assert {path.name for path in folder.iterdir()} == {"_toc.yml", "index.md", "book", "notebooks"}


def test_a_warning_of_jupyter_book_stops_the_build(project, monkeypatch, capsys):
    monkeypatch.setattr(build, "refuse_stale", lambda profile: None)
    monkeypatch.setattr(build, "publish", lambda profile: [])
    project.write("_config.yml", CONFIG)
    project.write("_toc.yml", "format: jb-book\nroot: index\n")
    project.write("index.md", "# Small\n\n{ref}`nowhere`\n")
    with pytest.raises(build.BuildError, match="jupyter-book build"):
        build.build_book()
    assert "nowhere" in capsys.readouterr().err


def test_a_whole_book_is_built_and_its_first_page_returned(project, monkeypatch):
    monkeypatch.setattr(build, "refuse_stale", lambda profile: None)
    monkeypatch.setattr(build, "publish", lambda profile: [])
    project.write("_config.yml", CONFIG)
    project.write("_toc.yml", "format: jb-book\nroot: index\n")
    project.write("index.md", "# Small\n")
    assert "<title>Small" in build.build_book().read_text()
