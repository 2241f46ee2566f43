import io
import json

import pytest
from rich.console import Console

from beyond_alignment.errors import InputError
from beyond_alignment.pipeline.execute import PageError
from beyond_alignment.pipeline.lock import is_locked, run_lock
from beyond_alignment.pipeline.run import run_book
from beyond_alignment.results import load
from tests.pipeline.conftest import fill

PAGES = ("01_first", "02_second", "03_third")


def run(*arguments, **options):
    return run_book(*arguments, console=Console(file=io.StringIO()), **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Run a book once for the tests that only read what a run leaves: project, cells before the run, report."""
    project = fill(tmp_path_factory.mktemp("whole"))
    before = {page: project.notebook(page)["cells"] for page in PAGES}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEYOND_ALIGNMENT_ROOT", str(project.root))
        patch.delenv("BEYOND_ALIGNMENT_RESULTS", raising=False)
        report = run()
    return project, before, report


def test_pages_run_in_order_then_nothing_runs_again_and_a_forced_run_gives_the_same_bytes(project):
    report = run()
    assert report.executed == PAGES
    places = ("results", "notebooks", "executed/quick")
    first = {name: content for name, content in project.files(*places).items() if "manifests" not in name}
    assert not any(".part" in name or name.count(".") > 1 for name in first if ".lock" not in name)
    again = run()
    assert (again.executed, again.skipped, again.published) == ((), PAGES, ())
    assert run(force=True).executed == PAGES
    assert {name: content for name, content in project.files(*places).items() if "manifests" not in name} == first | {
        "executed/quick/.lock": first["executed/quick/.lock"]
    }


def test_a_page_sees_the_results_of_the_pages_before_it(whole, monkeypatch):
    monkeypatch.setenv("BEYOND_ALIGNMENT_ROOT", str(whole[0].root))
    first, second = (load(page)["claims"] for page in PAGES[:2])
    assert second["B2"]["value"] == pytest.approx(first["B1"]["value"] + 0.5, abs=1e-6)


def test_published_notebooks_have_outputs_and_untouched_sources(whole):
    project, before, report = whole
    assert [path.stem for path in report.published] == list(PAGES)
    for page in PAGES:
        after = project.notebook(page)["cells"]
        for old, new in zip(before[page], after, strict=True):
            assert {key: old[key] for key in ("source", "metadata", "id")} == {
                key: new[key] for key in ("source", "metadata", "id")
            }
        assert [cell["execution_count"] for cell in after if cell["cell_type"] == "code"] == [1, 2, 3, 4]
        assert after[4]["outputs"][1]["execution_count"] == 4
        assert "papermill" not in json.dumps(project.notebook(page))


def test_part_of_the_book_can_be_run_and_is_not_published(project):
    assert run(only=["3"]).executed == ("03_third",)
    assert all(cell.get("execution_count") is None for cell in project.notebook("03_third")["cells"])
    assert run(only=["01", "03_third"]).executed == ("01_first",)
    assert run(start="02").executed == ("02_second",)


def test_another_profile_has_its_own_results_and_leaves_the_notebooks_alone(project):
    before = project.files("notebooks")
    run("full")
    assert load("02_second", "full")["parameters"]["rate"] == 2
    assert project.files("notebooks") == before
    assert (project.root / "results/full/manifests/02_second.json").is_file()


def test_a_failing_page_is_named_kept_and_leaves_the_pages_before_it_finished(project):
    project.edit("02_second", 3, "raise ValueError('too few spots.')")
    with pytest.raises(
        PageError, match=r"Page 02_second failed in cell 5 of 6: ValueError: too few spots; .*failed/02_second"
    ):
        run()
    assert "too few spots" in (project.root / "executed/quick/failed/02_second.ipynb").read_text()
    assert not (project.root / "executed/quick/02_second.ipynb").exists()
    project.edit("02_second", 3, "pass")
    assert run().executed == PAGES[1:]
    assert not (project.root / "executed/quick/failed/02_second.ipynb").exists()


def test_a_page_whose_kernel_dies_is_named(project):
    project.edit("01_first", 3, "import os\nos._exit(1)")
    with pytest.raises(PageError, match="01_first failed in cell 5 of 6: the kernel stopped"):
        run(only=["01"])


def test_a_page_that_writes_no_results_is_named(project):
    project.edit("01_first", 4, "pass")
    with pytest.raises(PageError, match="wrote no results"):
        run(only=["01"])


def test_two_runs_of_a_profile_do_not_interleave(project):
    with run_lock("quick"), pytest.raises(InputError, match="already being run by process"):
        run()
    assert not is_locked("quick")


def test_one_line_a_page_without_a_terminal(project):
    stream = io.StringIO()
    run_book(only=["01", "03"], console=Console(file=stream))
    lines = stream.getvalue().splitlines()
    assert [line.split(":")[0] for line in lines] == ["[1/2] 01_first", "[2/2] 03_third"]
    assert "it has not been run" in lines[0]
    assert "to go" in lines[0]


@pytest.mark.parametrize("options", [{"only": ["09"]}, {"start": "third"}])
def test_an_unknown_page_is_refused(project, options):
    with pytest.raises(InputError, match="no page"):
        run(**options)
