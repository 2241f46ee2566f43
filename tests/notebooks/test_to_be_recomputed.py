"""Pages whose numbers are known to be wrong say so first, and say nothing but what their stored record holds."""

import ast
import json
import re

import pytest

from beyond_alignment.book import Page
from beyond_alignment.book.notebook import read_notebook
from beyond_alignment.book.numbers import rounded
from beyond_alignment.project import root

STORED = root() / "results" / "to_be_recomputed"
PAGES = sorted(path.stem for path in STORED.glob("*.json"))
GLUED_TYPE = "application/papermill.record/text/plain"
EXACT: dict[str, dict[str, float]] = {}
"""What a page computes anew, because it is exact and cheap."""


def record_of(page):
    """Return the stored record of a page."""
    return json.loads((STORED / f"{page}.json").read_text())


def text_of(page, kind="markdown"):
    """Return the text of a page's cells of one kind."""
    return "\n".join("".join(cell["source"]) for cell in read_notebook(page)["cells"] if cell["cell_type"] == kind)


def glued_by(page):
    """Return what the committed notebook handed to prose, by key."""
    found = {}
    for cell in read_notebook(page)["cells"]:
        for output in cell.get("outputs", []):
            if GLUED_TYPE in output.get("data", {}):
                name = output["metadata"]["scrapbook"]["name"]
                found[name] = ast.literal_eval("".join(output["data"][GLUED_TYPE]))
    return found


def said_of(values):
    """Return what the values of a record are as prose says them."""
    said = {}
    for key, record in values.items():
        low, high = record["interval"] or (None, None)
        for name, number in ((key, record["value"]), (f"{key}_low", low), (f"{key}_high", high)):
            said[name] = rounded(number, record["digits"]) if isinstance(number, float) else number
    return {name: number for name, number in said.items() if number is not None}


def test_there_are_such_pages():
    assert [page[:2] for page in PAGES] == ["03", "06"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_first_that_it_is_to_be_recomputed_and_from_which_run_it_is(page):
    first = "".join(read_notebook(page)["cells"][0]["source"])
    box = re.search(
        r"^:::\{admonition\} To be recomputed\n:class: warning\n(.*?)^:::$", first, re.MULTILINE | re.DOTALL
    )
    assert box
    assert first.index("## Key takeaways") > box.end()
    assert {"run_date", "run_commit"} <= set(re.findall(r"\{glue:text\}`(\w+)`", box[1]))
    run, values = record_of(page)["run"], record_of(page)["values"]
    assert run.keys() >= {"commit", "date", "device", "seconds", "packages"}
    assert (values["run_date"]["value"], values["run_commit"]["value"]) == (run["date"], run["commit"][:7])


@pytest.mark.parametrize("page", PAGES)
def test_every_glued_value_is_that_of_the_stored_record(page):
    assert glued_by(page) == said_of(record_of(page)["values"]) | EXACT.get(page, {})


@pytest.mark.parametrize("page", PAGES)
def test_prose_and_record_hold_the_same_values(page):
    elsewhere = "\n".join(path.read_text() for path in (root() / "book").glob("*.md"))
    said = set(re.findall(r"\{glue:text\}`(\w+)", text_of(page)))
    said |= set(re.findall(rf"{page}\.ipynb::(\w+)", elsewhere))
    values = record_of(page)["values"].keys() | EXACT.get(page, {}).keys()
    assert said <= glued_by(page).keys()
    assert [key for key in values if not {key, f"{key}_low", f"{key}_high"} & said] == []


@pytest.mark.parametrize("page", PAGES)
def test_claims_are_those_of_the_stored_record(page):
    stored = {kept["claim"]: kept["verdict"] for kept in record_of(page)["claims"]}
    shown = json.loads((root() / "results" / f"{page}.json").read_text())["claims"]
    assert {claim: kept["verdict"] for claim, kept in shown.items()} == stored


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reads_every_stored_table_and_no_other(page):
    read = re.findall(r'page\.earlier\("(\w+)"\)', text_of(page, "code"))
    assert sorted(set(read)) == sorted(path.stem.split("-")[1] for path in STORED.glob(f"{page}-*.csv"))


@pytest.mark.parametrize(("recompute", "lines"), [("check", 0), ("missing", 1), ("all", 1)])
def test_what_cannot_be_recomputed_yet_is_said_in_one_line(recompute, lines, capsys):
    page = Page(PAGES[0], {"recompute": recompute, "device": "cpu", "seed": 0})
    page.earlier_record()
    said = capsys.readouterr().out.splitlines()
    assert len(said) == lines
    assert all("nothing is computed yet" in line for line in said)
