import fcntl

import pytest

from beyond_alignment import __version__


def test_the_version_is_printed(project):
    assert project.run("--version") == (0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("book", "run", "--only", "09"), "There is no page '09'"),
        (("book", "publish"), "Page 01_first has not been run as it is now"),
        (("book", "check"), "There is no built book"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(project, arguments, says):
    code, _, err = project.run(*arguments)
    assert code == 2
    assert says in err
    assert len(err.splitlines()) == 1


def test_a_run_beside_another_says_so_in_one_sentence(project):
    (project.root / "executed").mkdir()
    with (project.root / "executed" / ".lock").open("w") as held:
        held.write("4711")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        code, _, err = project.run("book", "run")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "already being run by process 4711" in err


def test_a_failing_page_is_exit_1_with_one_sentence_and_a_traceback_on_file(project):
    project.edit("01_first", 3, "1 / 0")
    code, _, err = project.run("book", "run", "--only", "1")
    assert code == 1
    assert "Page 01_first failed in cell 5 of 7: ZeroDivisionError" in err
    assert "Traceback" not in err
    assert "Traceback" in (project.root / "executed/beyond-alignment-error.log").read_text()
