import json

import pytest

from beyond_alignment.pipeline import manifest
from beyond_alignment.pipeline.freshness import stale_because
from beyond_alignment.pipeline.places import executed_file
from beyond_alignment.pipeline.profiles import load_profile
from beyond_alignment.results import page_file

PAGE = "03_third"


def plan(page=PAGE):
    return next(plan for plan in load_profile("quick").pages if plan.name == page)


@pytest.fixture
def fresh(project):
    """Pretend that the third page has been run."""
    for path, text in ((executed_file(PAGE, "quick"), "{}"), (page_file(PAGE), '{"device": "cpu", "tables": ["t"]}')):
        project.write(path, text)
    project.write("results/tables/03_third-t.csv", "x\n1\n")
    manifest.record(plan(), manifest.ingredients(plan()), seconds=1, peak_memory_mb=1)
    assert stale_because(plan()) == []
    return project


def test_a_page_that_has_not_been_run_is_stale(project):
    assert stale_because(plan()) == ["it has not been run"]


def test_each_cause_is_named(fresh):
    fresh.edit(PAGE, 3, "pass")
    assert stale_because(plan()) == ["the notebook changed"]
    fresh.write("src/package/module.py", "x = 2\n")
    fresh.write("notebooks/profiles/quick.yaml", "pages: {03_third: {parameters: {rate: 1}}}")
    fresh.write("data/a.txt", "4")
    assert stale_because(plan())[1:] == [
        "the package changed",
        "parameters changed: rate",
        "inputs changed: data/a.txt",
    ]


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("results/03_third.json", "missing or edited since: 03_third.json, table t"),
        ("results/tables/03_third-t.csv", "missing or edited since: table t"),
        ("executed/quick/03_third.ipynb", "missing or edited since: executed 03_third.ipynb"),
        ("executed/quick/manifests/03_third.json", "it has not been run"),
    ],
)
def test_what_a_run_made_has_to_be_there(fresh, name, cause):
    (fresh.root / name).unlink()
    assert stale_because(plan()) == [cause]


def test_an_edited_result_is_noticed(fresh):
    fresh.write("results/03_third.json", '{"device": "cuda", "tables": ["t"]}')
    assert stale_because(plan()) == ["missing or edited since: 03_third.json"]


def test_a_new_reference_run_makes_the_page_beside_it_stale(fresh):
    fresh.write("results/reference/03_third.json", "{}")
    assert stale_because(plan()) == ["inputs changed: reference:03_third"]


def test_outputs_device_and_run_count_do_not_matter(fresh):
    content = fresh.notebook(PAGE)
    content["cells"][3] |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}], "execution_count": 7}
    fresh.write(f"notebooks/{PAGE}.ipynb", json.dumps(content))
    fresh.write("notebooks/profiles/quick.yaml", "pages: {03_third: {parameters: {device: cuda}}}")
    assert stale_because(plan()) == []


def test_a_broken_manifest_counts_as_none(fresh):
    fresh.write("executed/quick/manifests/03_third.json", "{")
    assert stale_because(plan()) == ["it has not been run"]
