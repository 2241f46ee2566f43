"""What holds of every page: the rules themselves are proven in tests/pipeline/test_page_rules.py."""

import ast

import nbformat
import pytest

from beyond_alignment.pipeline.page_rules import RULES, code_cells
from beyond_alignment.pipeline.parameters import declared
from beyond_alignment.pipeline.profiles import load_profile, page_names
from beyond_alignment.pipeline.toc import toc_pages
from beyond_alignment.results import load
from beyond_alignment.results.hashing import notebook_file, read_notebook

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
def test_the_defaults_of_a_page_are_those_of_the_quick_profile(page):
    plan = next(plan for plan in load_profile("quick").pages if plan.name == page)
    assert declared(page, read_notebook(page)) == plan.parameters


@pytest.mark.parametrize("profile", ["quick", "reference", "full"])
def test_a_profile_fits_the_notebooks(profile):
    assert [plan.name for plan in load_profile(profile).pages] == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_the_numbers_in_prose_are_those_of_the_results(page):
    values = load(page)["values"]
    glued = dict(_glued(read_notebook(page)))
    for key, record in values.items():
        value = record["value"]
        assert glued[key] == (round(value, record["digits"]) if isinstance(value, float) else value)


def _glued(notebook):
    """Yield name and value of what a page handed to its prose."""
    for _, cell, _ in code_cells(notebook):
        for output in cell["outputs"]:
            if RECORD in output.get("data", {}):
                yield output["metadata"]["scrapbook"]["name"], ast.literal_eval("".join(output["data"][RECORD]))


def test_the_table_of_contents_names_every_page():
    named = [page.removeprefix("notebooks/") for page in toc_pages() if page.startswith("notebooks/")]
    assert named == PAGES
