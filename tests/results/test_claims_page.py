"""The page of claims gives the verdict of every page that tests one, as the committed results have it."""

import json
import re

from beyond_alignment.results.claims import CLAIMS

from beyond_alignment.project import root


def verdicts():
    """Return claim -> page -> verdict: those of the reference run, or of the quick one where a page has no other."""
    found = {claim: {} for claim in CLAIMS}
    for quick in sorted((root() / "results").glob("0*.json")):
        reference = quick.parent / "reference" / quick.name
        claims = json.loads((reference if reference.is_file() else quick).read_text())["claims"]
        for claim, record in claims.items():
            found[claim][quick.stem] = record["verdict"]
    return found


def cell(pages):
    """Return what the page says of a claim: each page that tests it, and its verdict."""
    return ", ".join(f"[{page[:2]}](../notebooks/{page}.ipynb) {verdict}" for page, verdict in pages.items())


def written():
    """Return claim -> last cell of its row on the page."""
    rows = re.findall(r"^\| ([BMS]\d+) \|.*\| ([^|]*) \|$", (root() / "book" / "claims.md").read_text(), re.MULTILINE)
    assert len(rows) == len(dict(rows))
    return dict(rows)


def test_every_claim_of_the_book_has_its_row():
    assert list(written()) == list(CLAIMS)


def test_every_claim_is_tested_by_a_page():
    assert [claim for claim, pages in verdicts().items() if not pages] == []


def test_verdicts_are_those_of_the_committed_results():
    assert written() == {claim: cell(pages) for claim, pages in verdicts().items()}
