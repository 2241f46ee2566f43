"""A study: one table however it is computed, nothing lost when it is killed, and nothing damaged taken for good."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beyond_alignment import study
from beyond_alignment.errors import InputError
from tests import study_functions as points

PLAN = [{"x": x, "kind": kind} for x, kind in product((1, 2, 5), ("a", "b"))]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A project of its own."""
    (tmp_path / "_toc.yml").touch()
    monkeypatch.setenv("BEYOND_ALIGNMENT_ROOT", str(tmp_path))
    monkeypatch.delenv("BEYOND_ALIGNMENT_EXECUTED", raising=False)
    return tmp_path


def publish():
    """Copy what was computed to where it is committed."""
    study.folder().mkdir(parents=True, exist_ok=True)
    for path in study.computed_folder().glob("*"):
        (study.folder() / path.name).write_bytes(path.read_bytes())


def files(place):
    """What a study's table and arrays are, byte by byte."""
    return {path.name: path.read_bytes() for path in sorted(place.glob("*")) if path.suffix != ".json"}


def test_all_then_check_gives_the_plan_with_its_numbers_and_arrays():
    made = study.run("squares", points.square, PLAN, recompute="all", settings={"factor": 2.0})
    publish()
    read = study.run("squares", points.square, PLAN, settings={"factor": 2.0}, check=[{"x": 2}])
    assert read.attrs["line"] == "recomputed here: 2 of 6 points, all within 0.01"
    assert read.attrs["finished"]
    pd.testing.assert_frame_equal(made, read, check_exact=True)
    assert read[["x", "kind"]].to_dict("records") == PLAN
    assert read["value"].tolist() == [float(f"{2.0 * row['x'] ** 2 + 1 / 3:.6g}") for row in PLAN]
    for row in read.itertuples():
        np.testing.assert_array_equal(row.draws, np.arange(row.x + 1) / 7)


def test_a_changed_formula_is_caught_with_the_row_both_numbers_and_the_advice():
    study.run("squares", points.square, PLAN, recompute="all")
    publish()
    with pytest.raises(InputError, match=r"x=5, kind=a has value = 125.333 here and 25.3333 in the stored") as caught:
        study.run("squares", lambda x, kind: points.square(x, kind, power=3), PLAN, check=[{"x": 5}])
    assert "raise the version" in str(caught.value)


def test_a_difference_within_the_tolerance_passes_and_is_logged(project):
    study.run("squares", points.square, PLAN, recompute="all")
    publish()
    near = study.run("squares", lambda x, kind: points.square(x, kind, factor=1.001), PLAN, check=PLAN, tolerance=0.01)
    assert near["value"].tolist() == [float(f"{row['x'] ** 2 + 1 / 3:.6g}") for row in PLAN]
    log = (project / "executed" / "results" / "checks" / "squares.log").read_text()
    assert log.startswith("6 points")
    assert '"x": 5} value: 25.3583 here, 25.3333 stored' in log
    with pytest.raises(InputError, match="value"):
        study.run("squares", lambda x, kind: points.square(x, kind, factor=1.001), PLAN, check=PLAN, tolerance={})


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"settings": {"factor": 3.0}},
        {"reads": {"her2st": np.arange(4.0)}},
    ],
    ids=["version", "settings", "data"],
)
def test_a_table_of_another_version_setting_or_data_is_refused_and_computed_anew(change):
    first = {"version": 1, "settings": {"factor": 1.0}, "reads": {"her2st": np.arange(3.0)}}
    study.run("squares", points.square, PLAN, recompute="all", **first)
    publish()
    with pytest.raises(InputError, match="recompute=missing"):
        study.run("squares", points.square, PLAN, **(first | change))
    anew = study.run("squares", points.square, PLAN, recompute="missing", **(first | change))
    factor = change.get("settings", first["settings"])["factor"]
    assert anew["value"].iloc[-1] == pytest.approx(25 * factor + 1 / 3, rel=1e-5)


def test_missing_computes_only_what_is_not_there(monkeypatch):
    study.run("squares", points.square, PLAN[:4], recompute="all")
    publish()
    seen = []

    def counted(x, kind):
        seen.append(x)
        return points.square(x, kind)

    part = study.run("squares", counted, PLAN)
    assert part.attrs["missing"] == 2
    assert not part.attrs["finished"]
    assert part.attrs["line"].startswith("4 of 6 points so far")
    whole = study.run("squares", counted, PLAN, recompute="missing")
    assert seen == [5, 5]
    assert whole.attrs["finished"]
    everything = study.run("squares", counted, PLAN, recompute="all")
    assert len(seen) == 8
    pd.testing.assert_frame_equal(whole, everything, check_exact=True)
    runs = json.loads((study.computed_folder() / "squares.json").read_text())["runs"]
    assert [run["points"] for run in runs] == [6]


def test_a_point_may_give_several_rows():
    study.run("rows", points.two_rows, [{"x": 1}, {"x": 2}], recompute="all")
    publish()
    read = study.run("rows", points.two_rows, [{"x": 1}, {"x": 2}], check=[{"x": 2}])
    assert read["probe"].tolist() == ["linear", "mlp"] * 2
    assert read["bits"].tolist() == [0.1, 0.2, 0.2, 0.4]
    assert read["count"].tolist()[1::2] == [1, 2]


def test_a_failed_point_is_a_row_with_its_reason_and_is_tried_again():
    plan = [{"x": x} for x in (2, 3)]
    table = study.run("failing", points.fails_on_three, plan, recompute="all")
    assert table["failure"].tolist() == [None, "ValueError: three is too many"]
    publish()
    manifest = json.loads((study.folder() / "failing.json").read_text())
    assert manifest["failed"] == [{"point": {"x": 3}, "why": "ValueError: three is too many"}]
    assert study.run("failing", points.fails_on_three, plan, check=plan)["failure"].notna().sum() == 1
    mended = study.run("failing", lambda x: {"value": x}, plan, recompute="missing")
    assert mended["value"].tolist() == [2, 3]
    assert "failure" not in mended


def test_absent_values_are_empty_cells_and_compare_as_equal():
    plan = [{"x": 0}, {"x": 1}]
    study.run("empty", points.not_a_number, plan, recompute="all")
    publish()
    read = study.run("empty", points.not_a_number, plan, check=plan)
    assert read["flag"].tolist() == [False, True]
    assert read["word"].tolist() == ["a", None]
    assert np.isnan(read["value"].iloc[1])
    assert "nan" not in (study.folder() / "empty.csv").read_text().lower()


def test_the_device_reaches_the_point():
    table = study.run("device", points.on_device, [{"x": 1}], recompute="all", device="cpu")
    assert table["where"].tolist() == ["cpu"]


def test_processes_and_dask_give_the_table_of_one_process():
    from distributed import LocalCluster

    study.run("squares", points.square, PLAN, recompute="all")
    alone = files(study.computed_folder())
    study.run("squares", points.square, PLAN, recompute="all", n_jobs=2)
    assert files(study.computed_folder()) == alone
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, processes=False) as cluster:
        study.run("squares", points.square, PLAN, recompute="all", scheduler=cluster.scheduler_address)
    assert files(study.computed_folder()) == alone


def test_a_scheduler_that_does_not_answer_is_one_sentence():
    with pytest.raises(InputError, match="dask scheduler"):
        study.run("squares", points.square, PLAN, recompute="all", scheduler="nowhere")


SCRIPT = """
from beyond_alignment import study
from tests import study_functions as points
plan = [{"x": x, "kind": kind} for x in range(20) for kind in "ab"]
study.run("slow", points.slow_square, plan, recompute="all")
"""


def start(project):
    """Run a slow study in a process of its own."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment = {
        **os.environ,
        "BEYOND_ALIGNMENT_ROOT": str(project),
        "PYTHONPATH": os.pathsep.join([here, *sys.path]),
    }
    return subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment)


def test_killed_twenty_times_it_ends_with_the_same_table(project):
    plan = [{"x": x, "kind": kind} for x in range(20) for kind in "ab"]
    study.run("slow", points.square, plan, recompute="all")
    expected = files(study.computed_folder())
    for path in study.computed_folder().glob("*"):
        path.unlink()
    (project / "executed" / "studies" / "slow.sqlite").unlink()
    drawn, kills = random.Random(0), 0
    waiting = start(project)
    store = project / "executed" / "studies" / "slow.sqlite"
    while kills < 20:
        while not store.exists() and waiting.poll() is None:
            time.sleep(0.01)
        time.sleep(drawn.uniform(0.0, 0.03))
        if waiting.poll() is None:
            waiting.send_signal(signal.SIGKILL)
        waiting.wait()
        kills += 1
        waiting = start(project)
        time.sleep(drawn.uniform(0.0, 0.3))
    assert waiting.wait() == 0
    assert files(study.computed_folder()) == expected


def test_two_runs_at_once_do_not_harm_each_other(project):
    both = [start(project), start(project)]
    assert [one.wait() for one in both] == [0, 0]
    plan = [{"x": x, "kind": kind} for x in range(20) for kind in "ab"]
    together = files(study.computed_folder())
    study.run("slow", points.square, plan, recompute="all")
    assert files(study.computed_folder()) == together


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
@pytest.mark.parametrize("harm", ["truncated", "foreign", "absent"])
def test_a_damaged_file_of_the_table_is_refused_by_name(suffix, harm):
    study.run("squares", points.square, PLAN, recompute="all")
    publish()
    path = study.folder() / f"squares.{suffix}"
    if harm == "absent":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-9] if harm == "truncated" else b'{"something": "else"}')
    with pytest.raises(
        InputError, match=f"results/studies/squares.{'csv' if (suffix, harm) == ('json', 'absent') else suffix}"
    ):
        study.run("squares", points.square, PLAN)


@pytest.mark.parametrize("harm", ["text", "another study", "another base"])
def test_a_foreign_store_is_refused_by_name(project, harm):
    path = project / "executed" / "studies" / "squares.sqlite"
    path.parent.mkdir(parents=True)
    if harm == "text":
        path.write_text("this is not a database, and long enough to be looked at as one" * 20)
    elif harm == "another study":
        study.run("others", points.square, PLAN, recompute="all")
        (path.parent / "others.sqlite").rename(path)
    else:
        base = sqlite3.connect(path)
        base.execute("CREATE TABLE points (something TEXT)")
        base.commit()
        base.close()
    with pytest.raises(InputError, match=r"executed/studies/squares.sqlite .* move it away"):
        study.run("squares", points.square, PLAN, recompute="missing")


@pytest.mark.parametrize(
    ("plan", "check", "words"),
    [
        ([{"x": 1, "kind": "a"}, {"x": 1, "kind": "a"}], (), "a row twice"),
        ([{"x": 1, "kind": "a"}, {"x": 1}], (), "different columns"),
        (PLAN, [{"x": 17}], "no row of its plan"),
    ],
    ids=["twice", "columns", "check"],
)
def test_a_plan_that_cannot_be_run_is_refused(plan, check, words):
    with pytest.raises(InputError, match=words):
        study.run("squares", points.square, plan, check=check, recompute="all")


def test_each_yields_every_row_in_one_process_and_in_two():
    rows = [{"x": x, "kind": "a"} for x in range(5)]
    for n_jobs in (1, 2):
        found = dict(study.each(points.square, rows, n_jobs=n_jobs))
        assert [found[n]["value"] for n in range(5)] == [x**2 + 1 / 3 for x in range(5)]


WORDS = st.text(st.characters(exclude_categories=("C", "Z")), max_size=8)
VALUES = st.one_of(st.floats(), st.integers(-(2**53), 2**53), st.booleans(), st.none(), WORDS)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(WORDS, VALUES), min_size=1, max_size=4, unique_by=lambda pair: pair[0]))
def test_what_is_written_is_read_back_or_refused(pairs):
    """Whatever a point returns, the table after a run is the one that a check reads, and the check agrees."""
    plan = [{"key": key} for key, _ in pairs]
    values = dict(pairs)

    def compute(key):
        return {"value": values[key]}

    made = study.run("any", compute, plan, recompute="all", version=abs(hash(str(pairs))))
    publish()
    read = study.run("any", compute, plan, check=plan, tolerance=1e-5, version=abs(hash(str(pairs))))
    assert list(read["key"]) == [key for key, _ in pairs]
    pd.testing.assert_frame_equal(made, read, check_exact=True)
