import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beyond_alignment.errors import InputError
from beyond_alignment.results import CLAIMS, Page, load, page_file
from beyond_alignment.results.numbers import plain


def make_page(profile="quick"):
    page = Page("01_a", profile=profile, parameters={"seed": 0, "methods": ["a", "b"]})
    page.value("gain", np.float64(0.123456789), interval=(0.1, 0.2), n=12)
    page.claim(
        "B2",
        measured="+0.123 F1",
        value=0.123456789,
        interval=(0.1, 0.2),
        n=12,
        seeds=3,
        data="a",
        verdict="replicated",
    )
    return page


def test_written_numbers_are_plain_and_have_six_significant_digits(project, glued):
    page = make_page()
    page.table("scores", pd.DataFrame({"x": [1 / 3], "name": ["a"]}))
    page.write()
    content = load("01_a")
    assert content["values"]["gain"] == {
        "value": 0.123457,
        "interval": [0.1, 0.2],
        "n": 12,
        "unit": "",
        "digits": 3,
        "tolerance": 0.01,
    }
    assert content["claims"]["B2"]["value"] == 0.123457
    assert content["tables"] == ["scores"]
    assert (project / "results/tables/01_a-scores.csv").read_text() == "x,name\n0.333333,a\n"


def test_keys_are_sorted_and_two_writes_are_the_same_bytes(project, glued):
    make_page().write()
    first = page_file("01_a").read_bytes()
    make_page().write()
    assert page_file("01_a").read_bytes() == first
    assert list(json.loads(first)) == sorted(json.loads(first))


def test_prose_gets_rounded_python_numbers(project, glued):
    page = make_page()
    page.value("spots", np.int64(7))
    page.value("best", "pca")
    assert glued == {"gain": 0.123, "gain_low": 0.1, "gain_high": 0.2, "spots": 7, "best": "pca"}
    assert [type(value) for value in glued.values()] == [float, float, float, int, str]


def test_tables_that_the_page_no_longer_makes_are_removed(project, glued):
    page = make_page()
    page.table("old", pd.DataFrame({"x": [1]}))
    page.write()
    make_page().write()
    assert not (project / "results/tables/01_a-old.csv").exists()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.float32("nan"), np.array([1.0, np.inf])])
def test_numbers_that_are_not_finite_are_refused(project, glued, bad):
    with pytest.raises(InputError, match="finite"):
        make_page().value("bad", bad)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"claim": "B99"}, "Unknown claim"),
        ({"claim": "B2"}, "recorded twice"),
        ({"verdict": "maybe"}, "Unknown verdict"),
        ({"measured": " "}, "does not say"),
        ({"interval": (2, 1)}, "low <= high"),
    ],
)
def test_a_claim_is_checked(project, glued, change, match):
    record = {"claim": "B3", "measured": "x", "data": "a", "verdict": "not replicated"} | change
    with pytest.raises(InputError, match=match):
        make_page().claim(record.pop("claim"), **record)


@pytest.mark.parametrize("key", ["gain", "Gain", "1st", "a-b"])
def test_a_key_is_new_and_well_formed(project, glued, key):
    with pytest.raises(InputError, match="key"):
        make_page().value(key, 1)


def test_every_claim_of_the_sources_has_one_sentence():
    names = [f"B{i}" for i in range(1, 17)] + [f"M{i}" for i in range(1, 10)] + [f"S{i}" for i in range(1, 7)]
    assert list(CLAIMS) == names
    assert all(text.endswith(".") for text in CLAIMS.values())


def test_shown_tables_repeat_exactly_and_bring_no_colours(project, glued):
    page = make_page()
    for show in (page.claims_table, page.parameter_table, page.compare_reference, page.provenance):
        table = show()
        assert table._repr_html_() == show()._repr_html_()
        assert repr(table) == repr(show())
        assert "0x" not in repr(table)
        assert "color" not in table._repr_html_()
    assert "cell type" in repr(page.claims_table())
    assert "0.100 to 0.200" in page.claims_table()._repr_html_()


def test_provenance_names_the_inputs_and_changes_with_them(project, glued):
    before = repr(make_page().provenance())
    assert "data/a.txt" in before
    (project / "data/a.txt").write_text("2")
    assert repr(make_page().provenance()) != before


def test_other_profiles_have_their_own_folder_and_the_base_can_be_moved(project, monkeypatch, tmp_path):
    assert page_file("01_a", "reference") == project / "results/reference/01_a.json"
    monkeypatch.setenv("BEYOND_ALIGNMENT_RESULTS", str(tmp_path / "elsewhere"))
    assert page_file("01_a", "full") == tmp_path / "elsewhere/full/01_a.json"


def test_missing_results_are_named(project):
    with pytest.raises(InputError, match="book run --profile full"):
        load("01_a", "full")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_keeps_six_digits_and_repeats(number):
    rounded = plain(number, name="x")
    assert rounded == pytest.approx(number, rel=5.1e-6, abs=1e-320)
    assert plain(rounded, name="x") == rounded
