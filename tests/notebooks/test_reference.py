"""The quick and the reference profile tell the same story."""

import json

import pytest
from beyond_alignment.pipeline.profiles import page_names
from beyond_alignment.results import agree, folder, load, page_file

PAGES = [page for page in page_names() if page_file(page, "reference").is_file()]


@pytest.mark.parametrize("page", PAGES)
def test_quick_and_reference_agree_within_their_intervals(page):
    pairs = agree(load(page), load(page, "reference"))
    assert any(pair.agrees is not None for pair in pairs)
    assert [pair for pair in pairs if pair.agrees is False] == []


@pytest.mark.parametrize("page", PAGES)
def test_reference_results_come_with_their_manifest(page):
    manifest = json.loads((folder("reference") / "manifests" / f"{page}.json").read_text())
    assert (manifest["page"], manifest["profile"]) == (page, "reference")
    assert manifest["products"].keys() >= {f"{page}.json"}
