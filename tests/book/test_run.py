"""A run writes under executed/ alone; publishing copies it; what fails is named, and what is killed goes on."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from beyond_alignment.book.run import PageError, publish, run_book
from beyond_alignment.errors import InputError
from beyond_alignment.study import stored

PAGES = ["01_first", "02_second", "03_third"]


def test_a_run_writes_under_executed_alone(whole):
    project, before, (code, out, err) = whole
    assert (code, out) == (0, "3 pages run: they lie in executed/.\n"), err
    assert project.files("notebooks", "results", "data") == before
    assert {path.name for path in project.root.iterdir()} <= {"_toc.yml", "data", "notebooks", "executed"}
    lines = [line for line in err.splitlines() if "/3]" in line]
    assert [line.split(":")[0] for line in lines] == [f"[{n}/3] {page}" for n, page in enumerate(PAGES, 1)]
    assert "to go" in lines[0]


def test_publishing_copies_outputs_and_results_and_leaves_sources_alone(whole, monkeypatch):
    project, _, _ = whole
    monkeypatch.setenv("BEYOND_ALIGNMENT_ROOT", str(project.root))
    before = {page: project.notebook(page)["cells"] for page in PAGES}
    changed = [path.relative_to(project.root).as_posix() for path in publish()]
    assert changed == [*(f"notebooks/{page}.ipynb" for page in PAGES), *(f"results/{page}.json" for page in PAGES),
                       "results/runs.json"]  # fmt: skip
    for page in PAGES:
        after = project.notebook(page)["cells"]
        for old, new in zip(before[page], after, strict=True):
            assert {key: old[key] for key in ("source", "metadata", "id")} == {
                key: new[key] for key in ("source", "metadata", "id")
            }
        assert [cell["execution_count"] for cell in after if cell["cell_type"] == "code"] == [1, 2, 3, 4, 5]
        assert '"papermill"' not in str(after)
    assert publish() == []


def test_a_part_can_be_run_gives_the_same_bytes_again_and_cannot_be_published(project):
    assert run_book(only=["3"]) == ["03_third"]
    first = project.files("executed")
    assert run_book(start="03") == ["03_third"]
    assert project.files("executed") == first
    with pytest.raises(InputError, match="Page 01_first has not been run as it is now"):
        publish()


def test_a_failing_page_is_named_and_kept_and_one_without_results_is_named(project):
    project.edit("01_first", 5, "pass")
    with pytest.raises(PageError, match="wrote no results"):
        run_book(only=["01"])
    project.edit("02_second", 3, "raise ValueError('too few spots.')")
    with pytest.raises(
        PageError, match=r"Page 02_second failed in cell 5 of 7: ValueError: too few spots; .*executed/failed/02_second"
    ):
        run_book(only=["02"])
    assert "too few spots" in (project.root / "executed/failed/02_second.ipynb").read_text()
    assert not (project.root / "executed/02_second.ipynb").exists()


def test_a_page_whose_kernel_dies_is_named(project):
    project.edit("01_first", 3, "import os\nos._exit(1)")
    with pytest.raises(PageError, match="01_first failed in cell 5 of 7: the kernel stopped"):
        run_book(only=["01"])


@pytest.mark.parametrize("options", [{"only": ["09"]}, {"start": "third"}])
def test_an_unknown_page_is_refused(project, options):
    with pytest.raises(InputError, match="no page"):
        run_book(**options)


STUDY = """from tests.study_functions import slow_square
plan = [{"x": x, "kind": kind} for x in range(20) for kind in "ab"]
table = page.run("slow", slow_square, plan, check=[{"x": 3}])
print(len(table))
claim = ("B1", 1, "replicated")"""


def test_a_run_killed_at_random_moments_goes_on_and_ends_with_the_same_results(project, request, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath))
    project.edit("01_first", 3, STUDY)
    began = time.monotonic()
    code, _, err = project.run("book", "run", "--only", "1", "--recompute", "missing")
    assert code == 0, err
    seconds = time.monotonic() - began
    expected = stored("slow", project.root / "executed/results/studies").rows
    for path in project.root.glob("executed/studies/*"):
        path.unlink()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    arguments = ("book", "run", "--only", "1", "--recompute", "missing")
    killed = project.command(*arguments, start_new_session=True, **quiet)
    try:
        killed.wait(timeout=random.Random(1).uniform(0.3, 0.9) * seconds)
    except subprocess.TimeoutExpired:
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
    assert project.run(*arguments)[0] == 0
    assert stored("slow", project.root / "executed/results/studies").rows == expected


def test_papermill_alone_runs_a_page_from_any_folder(project, tmp_path_factory):
    place = tmp_path_factory.mktemp("elsewhere")
    before = project.files("notebooks", "results", "data")
    command = [
        sys.executable,
        "-m",
        "papermill",
        str(project.root / "notebooks/01_first.ipynb"),
        "out.ipynb",
        "-p",
        "recompute",
        "check",
    ]
    environment = {**os.environ, "BEYOND_ALIGNMENT_ROOT": str(project.root)}
    done = subprocess.run([*command, "-p", "device", "cpu"], cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in place.iterdir()} == {"out.ipynb"}
    assert project.files("notebooks", "results", "data") == before
    wrong = subprocess.run([*command, "-p", "sead", "1"], cwd=place, env=environment, capture_output=True, text=True)
    assert "01_first has no parameter 'sead': did you mean 'seed'?" in wrong.stderr
