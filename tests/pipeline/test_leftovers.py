from beyond_alignment.pipeline.leftovers import remove_leftovers
from beyond_alignment.pipeline.lock import run_lock

OWN = ("executed/quick/.01_first.ipynb.abcd1234.ipynb", "results/.01_first.json.abcd1234.json")
SHARED = ("notebooks/.01_first.ipynb.abcd1234.ipynb", "data/.a.h5ad.abcd1234.h5ad")
KEPT = (
    "data/a.txt",
    "notebooks/.ipynb_checkpoints/01_first-checkpoint.ipynb",
    "results/01_first.json",
    "data/.gitkeep",
)


def left(project):
    return {name for name in (*OWN, *SHARED, *KEPT) if (project.root / name).exists()}


def test_temporary_files_go_and_all_else_stays(project):
    for name in (*OWN, *SHARED, *KEPT):
        project.write(name, "x")
    with run_lock("quick"):
        assert len(remove_leftovers("quick")) == 4
    assert left(project) == set(KEPT)


def test_shared_folders_are_left_alone_while_another_profile_runs(project):
    for name in (*OWN, *SHARED, *KEPT):
        project.write(name, "x")
    with run_lock("full"), run_lock("quick"):
        remove_leftovers("quick")
    assert left(project) == {*SHARED, *KEPT}
