"""Committed points are taken only where code, releases and settings are the same, and only in the place of none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beyond_alignment.benchmark import curve_points, known_points, pose_curves, run_curves
from beyond_alignment.benchmark.known_points import POINT_CODE, curve_fingerprint, known_rows, still_open, with_known
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.benchmark.scaling_report import POINT_COLUMNS
from beyond_alignment.benchmark.store import code_digest
from beyond_alignment.errors import InputError
from beyond_alignment.project import root
from tests.benchmark.stand_ins import CONTESTS, two_bits

FRACTIONS = (0.3, 1.0)


@pytest.fixture(scope="module")
def problems():
    return pose_curves(two_bits(), CONTESTS)


@pytest.fixture(scope="module")
def whole(problems):
    return curve_points(run_curves(problems, CONTESTS, fractions=FRACTIONS, n_replicates=5).points)


def as_committed(points, path):
    """Return points as a run commits and the next one reads them."""
    points.drop(columns="seconds").to_csv(path, index=False, float_format="%.6g")
    return pd.read_csv(path)


def test_two_runs_that_add_up_are_one_run(problems, whole, tmp_path):
    first = [contest for contest in CONTESTS if contest.seed == 0]
    part = curve_points(run_curves(problems, first, fractions=FRACTIONS, n_replicates=5).points)
    known = as_committed(part, tmp_path / "points.csv")
    rest = still_open(CONTESTS, known, fractions=FRACTIONS)
    assert rest == [contest for contest in CONTESTS if contest.seed != 0]
    added = curve_points(run_curves(problems, rest, fractions=FRACTIONS, n_replicates=5).points)
    both = with_known(added, known, CONTESTS)
    order = ["task", "split", "method", "seed", "fraction", "metric"]
    mine, theirs = (frame.sort_values(order).reset_index(drop=True) for frame in (both, whole))
    assert len(mine) == len(theirs)
    assert (mine[["method", "seed", "metric"]] == theirs[["method", "seed", "metric"]]).all(axis=None)
    np.testing.assert_allclose(mine["value"], theirs["value"], rtol=1e-5)
    assert mine["seconds"].isna().sum() == len(known)


def test_a_size_is_one_number_in_both_runs(whole, tmp_path):
    thirds = whole.assign(n_train=whole["n_train"] + 2 / 3)
    known = as_committed(thirds, tmp_path / "points.csv")
    mine = with_known(thirds[thirds["seed"] == 0], known, CONTESTS)
    sizes = mine.groupby(["task", "fraction"])["n_train"].nunique()
    assert mine["seconds"].isna().any()
    assert mine["seconds"].notna().any()
    assert (sizes == 1).all()


def test_a_contest_that_lacks_a_fraction_is_run_again_whole(whole, tmp_path):
    known = as_committed(whole, tmp_path / "points.csv")
    assert still_open(CONTESTS, known, fractions=FRACTIONS) == []
    assert still_open(CONTESTS, known, fractions=(*FRACTIONS, 0.5)) == list(CONTESTS)
    lacking = known[~((known["method"] == CONTESTS[0].method) & (known["fraction"] < 1))]
    again = still_open(CONTESTS, lacking, fractions=FRACTIONS)
    assert {contest.method for contest in again} == {CONTESTS[0].method}
    assert still_open(CONTESTS, known, fractions=FRACTIONS, always=[CONTESTS[0].method]) == again


def test_what_this_run_computed_is_taken_before_what_is_known_and_nothing_else_comes_in(whole, tmp_path):
    known = as_committed(whole.assign(value=-1.0), tmp_path / "points.csv")
    assert with_known(whole, known, CONTESTS).equals(whole)
    one = CONTESTS[:1]
    part = whole[(whole["method"] == one[0].method) & (whole["seed"] == one[0].seed)]
    assert len(with_known(part, known, one)) == len(part)


@given(fraction=st.floats(1e-6, 1.0), seed=st.integers(0, 2**31))
def test_a_point_is_found_again_whatever_its_fraction_and_seed(fraction, seed):
    contest = Contest("a", "donor", "concat", "pca", "colour", seed)
    row = pd.DataFrame([{**vars(contest), "fraction": float(f"{fraction:.6g}")}])
    assert still_open([contest], row, fractions=[fraction]) == []
    other = Contest("a", "donor", "concat", "pca", "colour", seed + 1)
    assert still_open([other], row, fractions=[fraction]) == [other]


def test_rows_of_another_code_are_refused_and_none_are_taken_unasked(whole):
    assert known_rows(whole, wanted="", found="abc").empty
    assert known_rows(None, wanted="abc", found="abc").empty
    assert known_rows(whole, wanted="abc", found="abc").equals(whole)
    with pytest.raises(InputError, match="of abc, and this run is of def"):
        known_rows(whole, wanted="abc", found="def")


def test_the_fingerprint_follows_code_releases_and_settings(monkeypatch, tmp_path):
    found = curve_fingerprint({"field_um": 600})
    assert curve_fingerprint({"field_um": 600}) == found != curve_fingerprint({"field_um": 200})
    with monkeypatch.context() as patched:
        patched.setattr(known_points, "code_digest", lambda code: "other")
        assert curve_fingerprint({"field_um": 600}) != found
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest.json").write_text("{}")
    monkeypatch.setattr(known_points, "root", lambda: tmp_path)
    assert curve_fingerprint({"field_um": 600}) != found
    assert all((root() / "src" / "beyond_alignment" / name).exists() for name in POINT_CODE)
    assert code_digest(POINT_CODE) != code_digest(POINT_CODE[:-1])
    assert set(known_points.ONE_POINT) <= set(POINT_COLUMNS)
