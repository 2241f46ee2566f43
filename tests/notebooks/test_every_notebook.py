"""What holds of every page: the rules themselves are proven in test_page_rules.py."""

import ast

import nbformat
import pytest

from beyond_alignment.book.notebook import notebook_file, page_names, read_json, read_notebook, toc_pages
from beyond_alignment.project import root
from tests.notebooks.page_rules import RULES, code_cells

PAGES = page_names()
RECORD = "application/papermill.record/text/plain"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("rule", RULES)
def test_a_page_keeps_every_rule(page, rule):
    assert RULES[rule](read_notebook(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_a_valid_notebook(page):
    nbformat.validate(nbformat.read(notebook_file(page), as_version=nbformat.NO_CONVERT))


@pytest.mark.parametrize("page", PAGES)
def test_the_numbers_in_prose_are_those_of_the_results_and_each_is_said_somewhere(page):
    values = read_json(root() / "results" / f"{page}.json")["values"]
    glued = dict(_glued(read_notebook(page)))
    for key, record in values.items():
        value = record["value"]
        assert glued[key] == (round(value, record["digits"]) if isinstance(value, float) else value)
    said = "\n".join("".join(c["source"]) for c in read_notebook(page)["cells"] if c["cell_type"] == "markdown")
    said += "\n".join(path.read_text(encoding="utf-8") for path in (root() / "book").glob("*.md"))
    assert [key for key in values if not any(f"{key}{end}" in said for end in ("`", ":", "_low`", "_high`"))] == []


def _glued(notebook):
    """Yield name and value of what a page handed to its prose."""
    for _, cell, _ in code_cells(notebook):
        for output in cell["outputs"]:
            if RECORD in output.get("data", {}):
                yield output["metadata"]["scrapbook"]["name"], ast.literal_eval("".join(output["data"][RECORD]))


def test_the_table_of_contents_names_every_page():
    named = [page.removeprefix("notebooks/") for page in toc_pages() if page.startswith("notebooks/")]
    assert named == PAGES
