"""The page of claims gives the verdict of every page that tests one, as the committed results have it."""

import json
import re

from beyond_alignment.book.claims import CLAIMS, OPEN
from beyond_alignment.project import root


def verdicts():
    """Return claim -> page -> verdict, with a mark beside those that are to be recomputed."""
    found = {claim: {} for claim in CLAIMS}
    for path in sorted((root() / "results").glob("0*.json")):
        mark = " (to be recomputed)" if (path.parent / "to_be_recomputed" / path.name).is_file() else ""
        for claim, record in json.loads(path.read_text())["claims"].items():
            found[claim][path.stem] = record["verdict"] + mark
    return found


def cell(pages):
    """Return what the page says of a claim: each page that tests it, and its verdict."""
    return ", ".join(f"[{page[:2]}](../notebooks/{page}.ipynb) {verdict}" for page, verdict in pages.items()) or OPEN


def written():
    """Return claim -> last cell of its row on the page."""
    rows = re.findall(r"^\| ([BMS]\d+) \|.*\| ([^|]*) \|$", (root() / "book" / "claims.md").read_text(), re.MULTILINE)
    assert len(rows) == len(dict(rows))
    return dict(rows)


def test_every_claim_of_the_book_has_its_row():
    assert list(written()) == list(CLAIMS)


def test_every_claim_is_tested_by_a_page_but_those_whose_verdicts_were_withdrawn():
    assert [claim for claim, pages in verdicts().items() if not pages] == ["B9", "B12"]


def test_verdicts_are_those_of_the_committed_results():
    assert written() == {claim: cell(pages) for claim, pages in verdicts().items()}
