"""``beyond-alignment sis`` on a small file of one's own: every question is answered, or refused in a sentence."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import types
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from beyond_alignment.cli import sis_answer, sis_report
from beyond_alignment.information import estimate
from beyond_alignment.information.estimate import PID_ESTIMATORS, TERMS

from .conftest import N, fake, faked, run

USUAL = ("--first", "X_a", "--second", "X_b", "--label", "niche", "--groups", "donor")


def asked(**changes):
    """The usual options with some changed; None takes one out."""
    options = dict(zip(USUAL[::2], USUAL[1::2], strict=True)) | {f"--{k}": v for k, v in changes.items()}
    return [str(part) for name, value in options.items() if value is not None for part in (name, value)]


def edited(path, change):
    """Apply a change to what the file holds."""
    data = anndata.read_h5ad(path)
    change(data)
    data.write_h5ad(path)


def put_nan(data):
    data.obsm["X_a"][[3, 8], 1] = np.nan


def put_infinity(data):
    data.obsm["X_b"][5] = np.inf


def put_label(data):
    data.obsm["X_b"][:, 2] = data.obs["niche"].cat.codes


def copy_rows(data):
    for key in ("X_a", "X_b"):
        data.obsm[key][1] = data.obsm[key][0]


def put_class_in_one_group(data):
    data.obs["donor"] = data.obs["donor"].where(data.obs["niche"] != "edge", "D1")


def keep_few(data):
    data._inplace_subset_obs(np.arange(150))


def drop_scale(data):
    del data.uns["spatial"]["S1"]["scalefactors"]


BAD_DATA = {
    "NaN": (put_nan, {}, "X_a holds 2 NaN or infinite values in 2 of 240 rows (first: row 3, column 1)"),
    "infinity": (put_infinity, {}, "X_b holds 4 NaN or infinite values in 1 of 240 rows (first: row 5"),
    "label in a source": (put_label, {}, "Column 2 of X_b is identical to the label"),
    "rows in two groups": (copy_rows, {}, "2 rows are identical in both sources to a row of another group (rows 0 of"),
    "a class in one group": (put_class_in_one_group, {}, "cannot be learned from the others: 'edge' (in 'D1')"),
    "few spots": (keep_few, {}, "There are 150 samples and at least 200 are supported"),
    "no scale": (drop_scale, {"block-um": 300}, "--block-um needs uns['spatial']['S1']"),
}
BAD_QUESTIONS = {
    "first": ({"first": "X_c"}, "There is no obsm['X_c'] in my.h5ad; did you mean"),
    "second": ({"second": "zzzz"}, "There is no obsm['zzzz'] in my.h5ad; obsm holds X_a, X_b, mix, spatial."),
    "label": ({"label": "nich"}, "There is no obs['nich'] in my.h5ad; did you mean 'niche'?"),
    "groups": ({"groups": "?"}, "There is no obs['?'] in my.h5ad; obs holds niche, donor, tile"),
    "blocks": ({"blocks": "til"}, "did you mean 'tile'?"),
    "same source": ({"second": "X_a"}, "Both sources are obsm['X_a']"),
    "the same by another name": ({"second": "a"}, "Both sources are obsm['X_a']"),
    "one class": ({"label": "one"}, "one holds one class ('all') in all 240 rows"),
    "thin class": ({"label": "rare"}, "rare has classes with too few samples: 'c' (4); each needs 10"),
    "too few with a label": ({"label": "partly"}, "There are 160 samples and at least 200 are supported"),
    "no label": ({"label": "never"}, "None of the 240 spots carries a label"),
    "one group": ({"groups": "section"}, "There is one group ('S1')"),
    "a group that is the class": ({"groups": "niche"}, "groups and niche say the same: each class is one group"),
    "groups of one class each": ({"groups": "apart"}, "niche is the same in all samples of a group, in each of the 6"),
    "folds of another method": ({"method": "cvx", "folds": 3}, "--folds is for the method posterior, not for cvx"),
    "method": ({"method": "magic"}, "There is no method 'magic'; choose one of"),
    "both blocks": ({"blocks": "tile", "block-um": 300}, "Both --blocks and --block-um"),
    "one block": ({"block-um": 1e6}, "one block"),
    "label is a source": ({"label": "X_b"}, "Column 0 of X_b is identical to the label"),
}


def refused(path, arguments, says):
    """The command says why in one line, and writes nothing."""
    before = {file: file.read_bytes() for file in path.parent.rglob("*") if file.is_file()}
    code, out, err = run("sis", path, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("beyond-alignment: ")
    assert says in err
    assert len(err.splitlines()) == 1
    assert {file: file.read_bytes() for file in path.parent.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(("change", "options", "says"), BAD_DATA.values(), ids=BAD_DATA.keys())
@pytest.mark.usefixtures("fast")
def test_bad_data_is_one_sentence_and_exit_2(own, change, options, says):
    edited(own, change)
    refused(own, [*asked(**options), "--html", own.parent / "r.html", "--json", own.parent / "r.json"], says)


@pytest.mark.parametrize(("options", "says"), BAD_QUESTIONS.values(), ids=BAD_QUESTIONS.keys())
@pytest.mark.usefixtures("fast")
def test_a_bad_question_is_one_sentence_and_exit_2(own, options, says):
    refused(own, [*asked(**options), "--html", own.parent / "r.html", "--json", own.parent / "r.json"], says)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.unlink(), "There is no file"),
        (lambda path: (path.unlink(), path.mkdir()), "There is no file"),
        (lambda path: path.write_bytes(b""), "cannot be read as .h5ad (HDF5)"),
        (lambda path: path.write_text("spot,x\n1,2\n"), "cannot be read as .h5ad (HDF5)"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "cannot be read as .h5ad (HDF5)"),
        (lambda path: h5py.File(path, "w").close(), "holds no obs or no obsm"),
    ],
)
@pytest.mark.usefixtures("fast")
def test_an_unreadable_file_is_one_sentence_and_exit_2(own, damage, says):
    damage(own)
    refused(own, asked(), says)


def change_in_file(path, change):
    with h5py.File(path, "a") as file:
        change(file)


def shorten(file):
    values = file["obsm/X_b"][:-5]
    attributes = dict(file["obsm/X_b"].attrs)
    del file["obsm/X_b"]
    file["obsm/X_b"] = values
    file["obsm/X_b"].attrs.update(attributes)


def change_encoding(file):
    file["obsm/X_b"].attrs["encoding-type"] = "of tomorrow"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (shorten, "differ in length (obsm['X_a'] 240, obsm['X_b'] 235, 'niche' 240, group 240)"),
        (change_encoding, "obsm/X_b of"),
    ],
)
@pytest.mark.usefixtures("fast")
def test_a_damaged_part_is_one_sentence_and_exit_2(own, change, says):
    change_in_file(own, change)
    refused(own, asked(), says)


@pytest.mark.parametrize("place", ["my.h5ad", "r.html", "folder", "text/r.html"])
@pytest.mark.usefixtures("fast")
def test_outputs_without_a_place_are_refused_before_anything_is_computed(own, place):
    (own.parent / "folder").mkdir()
    (own.parent / "text").write_text("")
    code, out, err = run("sis", own, *asked(), "--html", own.parent / "r.html", "--json", own.parent / place)
    assert (code, out) == (2, "")
    assert not (own.parent / "r.html").exists()
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "options",
    [{"folds": 1}, {"folds": "x"}, {"bootstrap": 0}, {"seed": -1}, {"classes": 1}, {"block-um": -3}, {"null": -1}],
)
def test_options_out_of_range_are_exit_2(own, options):
    code, out, err = run("sis", own, *asked(**options))
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert "Invalid value" in err


class Links(HTMLParser):
    """Gathers what a page would ask for."""

    def __init__(self):
        super().__init__()
        self.found, self.tags = [], set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.found += [v for k, v in attributes if k in ("src", "href", "xlink:href", "data") and not v.startswith("#")]


@pytest.mark.usefixtures("fast")
def test_the_answer_is_printed_and_written_whole(own):
    html, record = own.parent / "new" / "r.html", own.parent / "new" / "r.json"
    code, out, err = run("sis", own, *asked(), "--html", html, "--json", record, "--seed", 3)
    assert (code, err) == (0, "")
    text = " ".join(out.split())
    says = (
        "niche (3 classes; labels as they are), 240 samples in 8 groups",
        "Made from neighbours: the label was computed from the neighbours",
        "0.200 │ 0.160 to 0.220 │ 0.001 (0.001) │ 0.002",
        "0.900 │ 0.860 to 0.920 │ 0.010 (0.010) │ 0.05",
        "Null: 19 refits with labels shuffled within groups, as mean (largest); of a score, a share",
        "the group alone tells 0.0",
        "Recommended: concatenation",
        "rule of thumb",
        "warning: An <odd> one.",
    )
    assert [part for part in says if part not in text] == []
    assert text.index("warning:") < text.index("redundancy")
    assert {path.name for path in html.parent.iterdir()} == {"r.html", "r.json"}

    page = html.read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.found == []
    assert {"svg", "table", "style"} <= links.tags
    assert not re.search(r"@import|url\((?!#)", page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "An &lt;odd&gt; one." in page
    assert "prefers-color-scheme: dark" in page

    found = json.loads(record.read_text(encoding="utf-8"))
    assert (found["schema"], found["schema_version"], found["n"], found["n_groups"]) == (
        "beyond-alignment/sis",
        2,
        N,
        8,
    )
    assert set(found["terms"]) == set(TERMS)
    assert found["terms"]["redundancy"] == pytest.approx(
        {
            "value": 0.4,
            "low": 0.36,
            "high": 0.42,
            "group_low": None,
            "group_high": None,
            "null": 0.001,
            "null_most": 0.001,
        }
    )
    assert (found["p_information"], found["p_synergy"], found["p_interaction"]) == (0.05, 0.002, None)
    assert (found["settings"]["null"], found["settings"]["folds"], found["smallest_effect"]) == (19, 5, None)
    assert found["group_information"] > 0
    assert found["target"]["made_from"] == "neighbours"
    assert sum(found["target"]["classes"].values()) == N
    assert found["inputs"] == {
        "file": str(own), "first": "X_a", "second": "X_b", "label": "niche", "groups": "donor", "blocks": None,
        "block_um": None,
    }  # fmt: skip
    assert found["settings"]["seed"] == 3
    assert found["recommendation"]["strategy"] == "concatenation"
    assert found["recommendation"]["table_rows"] == ["concatenation"]


@pytest.mark.usefixtures("fast")
def test_the_documented_record_is_the_record(own):
    record = own.parent / "r.json"
    assert run("sis", own, *asked(), "--json", record)[0] == 0
    page = (Path(__file__).parents[2] / "book" / "use_your_data.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z_]+)`", page.split("### What the JSON holds")[1], flags=re.MULTILINE))
    assert documented == set(json.loads(record.read_text()))


def test_both_files_or_none(own, monkeypatch):
    monkeypatch.setenv("BEYOND_ALIGNMENT_ROOT", str(own.parent))
    for module, name in ((sis_report, "render_report"), (sis_answer.SisAnswer, "json")):
        with faked(), monkeypatch.context() as patch:
            patch.setattr(module, name, lambda *_: 1 / 0)
            code, out, err = run("sis", own, *asked(), "--html", own.parent / "r.html", "--json", own.parent / "r.json")
        assert (code, out) == (1, "")
        assert len(err.splitlines()) == 1
        assert "division by zero" in err
        assert not [path for path in own.parent.iterdir() if path.suffix in (".html", ".json")]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"label": "age"}, "numbers, cut at their quantiles into 4 classes"),
        ({"label": "age", "classes": 3}, "numbers, cut at their quantiles into 3 classes"),
        ({"label": "mix"}, "3 shares of a whole, clustered by k-means of their square roots into 5 classes"),
        ({"groups": None}, "No groups were given, so folds are drawn by sample"),
        ({"groups": None, "blocks": "tile"}, "No groups were given, so folds are drawn by block."),
        ({"groups": None, "block-um": 600}, "240 samples, method posterior"),
        ({"first": "a", "second": "b"}, "only X_a tells it"),
        ({"blocks": "tile"}, "240 samples in 8 groups"),
        ({"groups": "few", "folds": 5}, "240 samples in 3 groups"),
        ({"label": "truth"}, "truth (2 classes; labels as they are)"),
        ({"label": "whole"}, "whole (3 classes; labels as they are)"),
        ({"label": "grade"}, "grade (3 classes; labels as they are)"),
        ({"label": "words"}, "words (3 classes; labels as they are)"),
        ({"null": 0}, "No null was asked for (--null 0), so nothing shows what chance alone tells."),
        ({"groups": "few", "method": "cvx"}, "240 samples in 3 groups"),
    ],
)
@pytest.mark.usefixtures("fast")
def test_other_questions(own, options, says):
    code, out, err = run("sis", own, *asked(**options))
    assert (code, err) == (0, "")
    assert says in " ".join(out.split())


def test_without_a_score_it_is_said_in_words_and_no_rule_is_read(own, monkeypatch):
    def noise(*arguments, **options):
        found = fake(*arguments, **options)
        return replace(found, sis=None, null=found.null + 0.95, p_information=1.0)

    monkeypatch.setattr(estimate, "estimate_pid", noise)
    html, record = own.parent / "r.html", own.parent / "r.json"
    code, out, _ = run("sis", own, *asked(), "--html", html, "--json", record)
    text = " ".join(out.split())
    assert code == 0
    assert "SIS not determined SIS is not determined, because both sources together tell 0.90 bits" in text
    assert "about the label and shuffled labels reach 0.96 (p = 1): nothing here asks for more" in text
    assert "SIS: not determined │ – │" in text
    assert "By number of pairs" not in text
    page = html.read_text(encoding="utf-8")
    assert "SIS not determined, n = 240" in page
    assert "because SIS is not determined." in page
    found = json.loads(record.read_text())
    assert {found["terms"][term]["value"] for term in ("sis", "sis_interaction")} == {None}
    assert found["recommendation"]["strategy"] == "not determined"
    assert found["recommendation"]["by_pairs"] is None


def test_intervals_over_groups_stand_beside_the_others(own, monkeypatch):
    def over_groups(*arguments, **options):
        found = fake(*arguments, **options)
        return replace(found, group_intervals=dict.fromkeys(TERMS, (0.123, 0.987)))

    monkeypatch.setattr(estimate, "estimate_pid", over_groups)
    monkeypatch.setenv("COLUMNS", "160")
    html, record = own.parent / "r.html", own.parent / "r.json"
    code, out, _ = run("sis", own, *asked(), "--html", html, "--json", record)
    assert code == 0
    assert "(over groups)" in out
    assert out.count("(0.123 to 0.987)") == len(TERMS)
    assert html.read_text(encoding="utf-8").count("0.123 to 0.987") == len(TERMS)
    term = json.loads(record.read_text())["terms"]["synergy_raw"]
    assert (term["group_low"], term["group_high"]) == (0.123, 0.987)


@pytest.mark.usefixtures("fast")
def test_the_smallest_effect_is_told_on_request(own, monkeypatch):
    rows = [("additive", 0.1, 0.2, 0.5, 20), ("additive", 0.2, 0.3, 1.0, 20), ("interaction", 0.4, 0.5, 0.3, 20)]
    table = pd.DataFrame(rows, columns=["kind", "synergy", "sis", "power", "n_draws"])
    table.attrs["smallest"] = {"additive": 0.2, "interaction": None}
    asked_of = []

    def smallest_effect(x1, x2, groups, *, blocks, seed):
        asked_of.append((len(x1), len(x2), len(groups), blocks, seed))
        return table

    stub = types.ModuleType("beyond_alignment.information.power")
    stub.smallest_effect = smallest_effect
    monkeypatch.setitem(sys.modules, stub.__name__, stub)
    html, record = own.parent / "r.html", own.parent / "r.json"
    code, out, _ = run("sis", own, *asked(), "--smallest-effect", "--html", html, "--json", record, "--seed", 4)
    assert code == 0
    assert asked_of == [(N, N, N, None, 4)]
    for text in (" ".join(out.split()), html.read_text(encoding="utf-8")):
        assert "additive kind, planted on these embeddings, groups and folds: from 0.20 bits on it is found" in text
        assert "interaction kind" in text
        assert "up to 0.40 bits it is found in fewer than 80 % of the runs" in text
    found = json.loads(record.read_text())["smallest_effect"]
    assert found["bits"] == {"additive": 0.2, "interaction": None}
    assert found["planted"][1] == {"kind": "additive", "synergy": 0.2, "sis": 0.3, "power": 1.0, "n_draws": 20}
    code, _, err = run("sis", own, *asked(method="cvx"), "--smallest-effect")
    assert code == 2
    assert "--smallest-effect is for the method posterior, not for cvx" in err


@pytest.mark.usefixtures("fast")
def test_a_file_that_another_program_writes_is_named_as_such(own):
    hold = "import h5py, sys; h = h5py.File(sys.argv[1], 'a'); print('held', flush=True); sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", hold, str(own)], **pipes) as other:
        assert other.stdout.readline().strip() == b"held"
        refused(own, asked(), "is open for writing in another program; close it there first")
        other.communicate()
    assert run("sis", own, *asked())[0] == 0


@pytest.mark.usefixtures("fast")
def test_a_file_without_rights_and_a_place_without_rights_are_named_as_such(own, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(h5py, "File", mock.Mock(side_effect=PermissionError(13, "Permission denied")))
        refused(own, asked(), "may not be read: change its rights, or close it where it is open")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    refused(own, [*asked(), "--json", own.parent / "r.json"], "r.json cannot be written: you may not write into")


@pytest.mark.usefixtures("fast")
def test_spots_without_a_label_or_a_group_are_left_out_and_counted(own):
    def hide(data):
        data.obs["niche"] = data.obs["niche"].where(np.arange(N) >= 7)
        data.obs["donor"] = data.obs["donor"].astype("string").where(np.arange(N) >= 9)
        data.obsm["X_a"][:9] = np.nan

    edited(own, hide)
    code, out, _ = run("sis", own, *asked())
    text = " ".join(out.split())
    assert code == 0
    assert "7 of 240 spots carry no label and were left out." in text
    assert "2 labelled spots have no group and were left out." in text
    assert "231 samples" in text


@pytest.mark.usefixtures("fast")
def test_only_what_is_needed_is_read(own):
    def spoil(file):
        for part in ("X", "obs/age", "obsm/mix", "uns/spatial"):
            file[part].attrs["encoding-type"] = "of tomorrow"

    change_in_file(own, spoil)
    with pytest.raises(Exception, match="No read method registered"):
        anndata.read_h5ad(own)
    assert run("sis", own, *asked())[0] == 0


@pytest.mark.parametrize("encode", [np.asfortranarray, pd.DataFrame, sparse.csr_matrix])
@pytest.mark.usefixtures("fast")
def test_every_kind_of_embedding_is_read(own, encode):
    def change(data):
        x = encode(data.obsm["X_b"])
        data.obsm["X_b"] = x.set_axis(data.obs_names).rename(columns=str) if isinstance(x, pd.DataFrame) else x

    edited(own, change)
    assert run("sis", own, *asked())[0] == 0


@pytest.mark.parametrize("method", sorted(set(PID_ESTIMATORS) - {"batch"}))
def test_with_a_real_estimator(own, method):
    options = {"method": method, "bootstrap": 20, "null": 1} | ({"folds": 2} if method == "posterior" else {})
    code, out, err = run("sis", own, *asked(**options), "--json", own.parent / "r.json")
    assert (code, err) == (0, "")
    assert "Recommended" in out
    assert ("is here for comparison" in out) == (method != "posterior")
    found = json.loads((own.parent / "r.json").read_text())["terms"]
    assert found["I1"]["value"] > 0.5
    assert found["I12"]["value"] > found["I12"]["null_most"]
    assert all(found[term]["low"] <= found[term]["value"] <= found[term]["high"] for term in ("I12", "redundancy"))


def test_groups_that_are_small_or_of_one_class_are_answered(own):
    def change(data):
        data.obs["donor"] = ["few", "few", "alone", *data.obs["donor"][3:]]
        pure = (data.obs["niche"] == "far") & (data.obs["donor"] == "D4")
        data.obs["donor"] = data.obs["donor"].where(~pure, "pure")

    edited(own, change)
    code, out, err = run("sis", own, *asked(method="cvx", null=1, bootstrap=20))
    assert (code, err) == (0, "")
    assert "in 11 groups" in out


WORDS = st.sampled_from(["X_a", "X_b", "a", "mix", "spatial", "niche", "donor", "tile", "age", "one", "rare", "few",
                         "partly", "never", "section", "", "-", "../X", "obs", "\n", "é", "a/b"])  # fmt: skip
NUMBERS = st.one_of(st.integers(-2, 30), st.floats(), st.text(max_size=3))
OPTIONS = {
    **dict.fromkeys(["--first", "--second", "--label", "--groups", "--blocks"], WORDS | st.text(max_size=4)),
    **dict.fromkeys(["--folds", "--null", "--bootstrap", "--seed", "--classes", "--block-um"], NUMBERS),
    "--method": st.sampled_from(["posterior", "cvx", "", "x"]),
    "--html": st.sampled_from(["r.html", "my.h5ad", ".", "", "my.h5ad/r"]),
    "--json": st.sampled_from(["r.json", "r.html", "new/r.json"]),
}


@contextlib.contextmanager
def copied(path):
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), faked():
        Path("my.h5ad").write_bytes(path.read_bytes())
        yield Path(folder)


@settings(max_examples=40, deadline=None)
@given(changes=st.lists(st.one_of([st.tuples(st.just(k), v) for k, v in OPTIONS.items()]), max_size=3))
def test_any_arguments_are_answered(shared, changes):
    options = dict(zip(USUAL[::2], USUAL[1::2], strict=True)) | dict(changes)
    with copied(shared) as folder:
        content = (folder / "my.h5ad").read_bytes()
        code, out, err = run("sis", "my.h5ad", *[part for pair in options.items() for part in pair])
        assert code in (0, 2), err
        assert "Traceback" not in err
        written = {path.name for path in folder.rglob("*")} - {"my.h5ad"}
        if code == 2:
            assert (out, written) == ("", set())
            assert err
        else:
            wanted = [Path(options[k]).name for k in ("--html", "--json") if k in options]
            assert written - {"new"} == set(wanted)
        assert (folder / "my.h5ad").read_bytes() == content


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_embedding_and_label_are_answered(shared, data):
    values = st.sampled_from([0.0, 1.0, -1.0, np.nan, np.inf, 1e300, 1e-300])
    with copied(shared):
        with h5py.File("my.h5ad", "a") as file:
            x = file["obsm/X_b"][:] if data.draw(st.booleans()) else np.zeros((N, 4))
            for row, column, value in data.draw(st.lists(st.tuples(st.integers(0, N - 1), st.integers(0, 3), values))):
                x[row, column] = value
            file["obsm/X_b"][:] = x
            codes = file["obs/niche/codes"]
            labels = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=12, max_size=12)), dtype=np.int8)
            codes[:] = np.tile(labels, N // 12)
        code, out, err = run("sis", "my.h5ad", *USUAL)
        assert code in (0, 2), err
        if code == 2:
            assert (out, len(err.splitlines())) == ("", 1)


def test_the_fake_checks_as_the_estimators_do():
    with pytest.raises(ValueError, match="at least 200"):
        fake(np.zeros((3, 2)), np.zeros((3, 2)), np.zeros(3))
