import time

import pytest

from beyond_alignment import __version__
from beyond_alignment.pipeline.lock import run_lock


def test_the_version_is_printed(project):
    assert project.run("--version") == (0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("book", "run", "--only", "09"), "There is no page '09'"),
        (("book", "run", "--profile", "quik"), "did you mean 'quick'"),
        (("book", "build"), "Stale pages: 01_first (it has not been run)"),
        (("book", "check"), "There is no built book"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(project, arguments, says):
    code, _, err = project.run(*arguments)
    assert code == 2
    assert says in err
    assert len(err.splitlines()) == 1


def test_a_run_beside_another_says_so_in_one_sentence(project):
    with run_lock("quick"):
        code, _, err = project.run("book", "run")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "already being run" in err


def test_a_failing_page_is_exit_1_with_one_sentence_and_a_traceback_on_file(project):
    project.edit("01_first", 3, "1 / 0")
    code, _, err = project.run("book", "run")
    assert code == 1
    assert "Page 01_first failed in cell 5 of 6: ZeroDivisionError" in err
    assert "Traceback" not in err
    assert "Traceback" in (project.root / "executed/beyond-alignment-error.log").read_text()


def test_a_run_with_nothing_to_do_executes_nothing_and_is_quick(project):
    assert project.run("book", "run")[0] == 0
    stamps = {path: path.stat().st_mtime_ns for path in project.root.glob("results/*.json")}
    began = time.monotonic()
    code, out, _ = project.run("book", "run")
    assert time.monotonic() - began < 15
    assert (code, out) == (0, "Profile quick: 0 pages run, 3 fresh.\n")
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
