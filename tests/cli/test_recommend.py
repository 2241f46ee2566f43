"""The published rule from the command line, by numbers and from a report."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import run

ASKED = ("recommend", "--sis", 0.3, "--low", 0.2, "--high", 0.4, "--n-paired", 2500)
REPORT = ("--first", "X_a", "--second", "X_b", "--label", "niche", "--groups", "donor")


def test_the_rule_is_printed_and_written(tmp_path):
    code, out, err = run(*ASKED, "--json", tmp_path / "new" / "r.json")
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    assert "By number of pairs (2,500): simple interaction" in text
    assert "use a simple model of interactions: low-rank multimodal fusion (LMF)" in text
    assert "fine-tune the better single source" in text
    found = json.loads((tmp_path / "new" / "r.json").read_text())
    assert (found["row"], found["rows"]) == ("simple interaction", ["unimodal", "simple interaction"])
    assert (found["sis"], found["low"], found["high"], found["n_paired"]) == (0.3, 0.2, 0.4, 2500)
    assert " ".join(found["reason"].split()) in text


@pytest.mark.usefixtures("fast")
def test_a_report_of_sis_says_the_same_as_the_command(own):
    record = own.parent / "r.json"
    code, out, _ = run("sis", own, *REPORT, "--json", record)
    assert code == 0
    held = json.loads(record.read_text())["recommendation"]["by_pairs"]
    assert held["n_paired"] == 240
    assert " ".join(held["reason"].split()) in " ".join(out.split())
    assert run("recommend", "--report", record, "--json", own.parent / "again.json")[0] == 0
    assert json.loads((own.parent / "again.json").read_text()) == held
    _, out, _ = run("recommend", "--report", record, "--n-paired", 5000)
    assert "By number of pairs (5,000)" in out


@pytest.mark.usefixtures("fast")
def test_the_report_shows_the_rule(own):
    html = own.parent / "r.html"
    assert run("sis", own, *REPORT, "--html", html)[0] == 0
    page = html.read_text(encoding="utf-8")
    assert "The published rule by number of pairs" in page
    assert "For 240 paired spots the published rule says <strong>unimodal</strong>" in page
    for span in ("any number", "fewer than 1,000", "1,000 to 10,000", "more than 10,000"):
        assert span in page


BAD = {
    "nothing": ((), "There is no --sis; give --sis and --n-paired"),
    "no pairs": (("--sis", 0.3), "There is no --n-paired"),
    "one end": (("--sis", 0.3, "--n-paired", 9, "--low", 0.1), "One end of the interval is missing"),
    "score": (("--sis", 2, "--n-paired", 9), "SIS is 2"),
    "pairs": (("--sis", 0.2, "--n-paired", 0), "The number of paired spots is 0; give a whole number of at least 1"),
    "order": (("--sis", 0.2, "--n-paired", 9, "--low", 0.3, "--high", 0.1), "does not hold the SIS of 0.2"),
    "share": (("--sis", 0.2, "--n-paired", 9, "--interaction-share", -1), "An interaction share of -1"),
    "no report": (("--report", "none.json"), "There is no file none.json"),
    "a folder": (("--report", "."), "There is no file ."),
    "both": (("--report", "none.json", "--sis", 0.3), "The score is in --report"),
    "same file": (("--report", "r.json", "--json", "r.json"), "are the same file"),
    "no place": (("--sis", 0.2, "--n-paired", 9, "--json", "r.json/x.json"), "lies below a file"),
}


@pytest.mark.parametrize(("options", "says"), BAD.values(), ids=BAD)
def test_a_bad_question_is_one_sentence_and_exit_2(tmp_path, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    Path("r.json").write_text("{}")
    code, out, err = run("recommend", *options)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert (tmp_path / "r.json").read_text() == "{}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
HELD = {"schema": "beyond-alignment/sis", "schema_version": 2, "n": 500,
        "terms": {"sis": {"value": 0.3, "low": 0.2, "high": 0.4}, "sis_interaction": {"value": None}}}  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(place=st.sampled_from(["", "schema", "n", "terms", "sis", "value", "low", "schema_version"]), value=JSON)
def test_any_report_is_answered_or_refused_in_a_sentence(tmp_path_factory, place, value):
    held = json.loads(json.dumps(HELD))
    for inner in (held, held["terms"], held["terms"]["sis"]):
        if place in inner:
            inner[place] = value
    path = tmp_path_factory.getbasetemp() / "held.json"
    path.write_text(json.dumps(held if place else value))
    code, _, err = run("recommend", "--report", path)
    assert code in (0, 2), err
    assert len(err.splitlines()) == (code == 2)
    assert "Traceback" not in err


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00", '"x"'])
def test_what_is_no_json_is_refused_in_a_sentence(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    code, out, err = run("recommend", "--report", tmp_path / "r.json")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "is not a report of `beyond-alignment sis --json`" in err


@pytest.mark.parametrize(("change", "says"), [
    (lambda held: held["terms"]["sis"].update(value=None), "SIS is not determined in"),
    (lambda held: held.update(schema_version=1), "is a report of another version (1, not 2); write it anew"),
])  # fmt: skip
def test_a_report_without_a_score_or_of_another_version_has_no_rule(tmp_path, change, says):
    held = json.loads(json.dumps(HELD))
    change(held)
    (tmp_path / "r.json").write_text(json.dumps(held))
    code, _, err = run("recommend", "--report", tmp_path / "r.json")
    assert code == 2
    assert says in err
