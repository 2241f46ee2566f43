"""The recorder: what a page shows, hands to its prose and keeps."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beyond_alignment.book import Page
from beyond_alignment.book.claims import CLAIMS, OPEN
from beyond_alignment.book.numbers import plain
from beyond_alignment.book.shown import Notice, raw_data_notice
from beyond_alignment.errors import InputError
from tests.study_functions import square

PARAMETERS = {"recompute": "check", "device": "cpu", "seed": 1, "names": ["a", "b"], "rate": 0.5}


def make_page(**changes):
    return Page("01_first", PARAMETERS | changes)


def written(project, page):
    page.close()
    return json.loads((project.root / "executed/results/01_first.json").read_text())


def test_values_of_every_form_are_kept_with_six_digits_and_glued_rounded(project, glued):
    page = make_page()
    page.values({"gain": (np.float64(0.123456789), 0.1, 0.2)}, spots=np.int64(7), best="pca")
    page.values(share={"value": 1 / 3, "interval": (0.1, 0.5), "n": 12, "unit": "bits", "digits": 2})
    assert glued == {
        **{"gain": 0.123, "gain_low": 0.1, "gain_high": 0.2, "spots": 7, "best": "pca"},
        **{"share": 0.33, "share_low": 0.1, "share_high": 0.5},
    }
    assert [type(value) for value in glued.values()] == [float, float, float, int, str, float, float, float]
    values = written(project, page)["values"]
    assert values["gain"] == {"value": 0.123457, "interval": [0.1, 0.2], "n": None, "unit": "", "digits": 3}
    assert values["share"] == {"value": 0.333333, "interval": [0.1, 0.5], "n": 12, "unit": "bits", "digits": 2}


def test_a_table_is_shown_kept_and_its_rows_are_glued(project, glued, shown):
    page = make_page()
    rows = {"task": ["niche", "type"], "gain": [0.12345, -0.0004], "low": [0.1, None], "high": [0.2, 0.1], "n": [5, 6]}
    page.show(pd.DataFrame(rows).fillna(-0.1), "gains", columns={"task": "label", "gain": "gain in F1"},
              values={"gain_{task}": "gain"})  # fmt: skip
    assert glued["gain_niche"] == 0.123
    assert glued["gain_type_low"] == -0.1
    assert shown[0].frame.to_dict("records") == [
        {"label": "niche", "gain in F1": "0.123"}, {"label": "type", "gain in F1": "0.000"}
    ]  # fmt: skip
    text = (project.root / "executed/results/tables/01_first-gains.csv").read_text()
    assert text.splitlines()[0] == "task,gain,low,high,n"
    assert written(project, page)["tables"] == ["gains"]
    again = make_page()
    again.close()
    assert not (project.root / "executed/results/tables/01_first-gains.csv").exists()


def test_what_is_missing_is_blank_and_never_nan(project, shown):
    page = make_page()
    page.show(pd.DataFrame({"task": ["a", "b"], "score": [0.12345, None]}))
    page.show(pd.DataFrame({"task": []}), caption="Nothing was found.")
    page.show(pd.DataFrame({"n": range(16)}))
    assert shown[0].frame.to_numpy().tolist() == [["a", "0.123"], ["b", ""]]
    assert "nan" not in shown[0]._repr_html_().lower()
    assert shown[1]._repr_html_() == "<p>Nothing was found.</p>"
    assert ["long-table" in table._repr_html_() for table in shown] == [False, False, True]
    assert len({table.uuid for table in shown}) == 3
    assert not (project.root / "executed/results/tables").exists()


def test_a_figure_is_shown_closed_and_kept_the_same_twice(project, shown):
    page = make_page()
    path = project.root / "executed/results/figures/01_first-answer.png"
    images = []
    for _ in range(2):
        figure, axes = plt.subplots()
        axes.plot([0, 1], [1, 0])
        page.show(figure, "answer")
        images.append(path.read_bytes())
    assert shown
    assert not plt.fignum_exists(figure.number)
    assert images[0] == images[1]
    assert images[0].startswith(b"\x89PNG")


def test_a_study_is_run_recorded_and_said_in_one_line(project, shown, capsys):
    page = make_page(recompute="missing")
    plan = [{"x": x, "kind": "a"} for x in (1, 2)]
    table = page.run("squares", square, plan, check=[{"x": 2}])
    line = "recomputed here: 1 of 2 points, all within 0.01"
    assert capsys.readouterr().out == f"squares: {line}\n"
    assert len(table) == 2
    assert written(project, page)["studies"] == ["squares"]
    assert line in repr(page.close())
    with pytest.raises(InputError, match="recompute=missing"):
        make_page().run("squares", square, plan)


def test_an_unfinished_study_gives_no_verdict(project, shown, monkeypatch):
    plan = [{"x": x, "kind": "a"} for x in (1, 2, 3)]
    make_page(recompute="missing").run("squares", square, plan[:2])
    (project.root / "results").mkdir()
    (project.root / "executed/results/studies").rename(project.root / "results/studies")
    page = make_page()
    page.run("squares", square, plan)
    page.claims([{"claim": "B2", "measured": "x", "data": "a", "verdict": "replicated"}])
    claim = written(project, page)["claims"]["B2"]
    assert claim["verdict"] == OPEN
    assert claim["measured"].startswith("squares: 2 of 3 points")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.float32("nan"), np.array([1.0, np.inf])])
def test_numbers_that_are_not_finite_are_refused(project, glued, bad):
    with pytest.raises(InputError, match="finite"):
        make_page().values(bad=bad)


@pytest.mark.parametrize("key", ["gain", "Gain", "1st", "a-b"])
def test_a_key_is_new_and_well_formed(project, glued, key):
    page = make_page()
    page.values(gain=1)
    with pytest.raises(InputError, match="key"):
        page.values({key: 1})


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
def test_a_claim_is_checked(project, shown, change, match):
    page = make_page()
    good = {"claim": "B2", "measured": "+0.123 F1", "data": "a", "verdict": "replicated"}
    page.claims([good])
    assert "cell type" in repr(shown[0])
    with pytest.raises(InputError, match=match):
        page.claims([good | {"claim": "B3"} | change])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"recompute": "quick"}, "choose one of check, missing, all"),
        ({"seed": "one"}, "'seed' of 01_first is 'one' .str.; expected int"),
        ({"names": [1]}, "names"),
        ({"In": ["", "x = 1", "# Parameters\nsead = 3\n"]}, "no parameter 'sead': did you mean 'seed'"),
        ({"device": "tpu"}, "Unknown device"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(project, change, match):
    with pytest.raises(InputError, match=match):
        make_page(**change)


def test_the_footer_is_folded_repeats_exactly_and_brings_no_colours(project):
    page = make_page()
    first, second = page.close(), page.close()
    assert first._repr_html_() == second._repr_html_()
    assert first._repr_html_().startswith("<details>")
    assert "parameter seed" in repr(first)
    assert "color" not in first._repr_html_()


def test_every_claim_of_the_sources_has_one_sentence():
    names = [f"B{i}" for i in range(1, 17)] + [f"M{i}" for i in range(1, 10)] + [f"S{i}" for i in range(1, 7)]
    assert list(CLAIMS) == names
    assert all(text.endswith(".") for text in CLAIMS.values())


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_keeps_six_digits_and_repeats(number):
    rounded = plain(number, name="x")
    assert rounded == pytest.approx(number, rel=5.1e-6, abs=1e-320)
    assert plain(rounded, name="x") == rounded


def test_a_box_keeps_the_colour_of_the_page_and_escapes_its_text():
    box = Notice("Careful & slow", "a < b")
    assert "a &lt; b" in box._repr_html_()
    assert "Careful &amp; slow" in box._repr_html_()
    assert "color: inherit" in box._repr_html_()
    assert repr(box) == "Careful & slow\na < b"


def test_raw_data_are_listed_and_absent_ones_named_with_the_way_to_get_them():
    box = raw_data_notice({"her2st": ("A1",), "mob": ()})
    assert "mob" in box.title
    assert "her2st" not in box.title
    assert "BEYOND_ALIGNMENT_MIRROR" in box.text
    assert "her2st: A1" in box.text
    assert raw_data_notice({"mob": ("MOB1", "MOB2")}).text.endswith("mob: MOB1, MOB2.")
