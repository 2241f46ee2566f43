import json
import os
import shutil
import subprocess
import sys

from beyond_alignment.project import MARKER


def nbval(project, pages):
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider", pages]
    environment = {**os.environ, "BEYOND_ALIGNMENT_ROOT": str(project.root)}
    return subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=False)


def test_published_pages_are_compared_and_nothing_is_written_but_under_executed(project, request):
    assert (request.config.rootpath / MARKER).is_file()
    shutil.copy(request.config.rootpath / "conftest.py", project.root / "conftest.py")
    project.write("pytest.ini", "[pytest]\n")
    for page in ("02_second", "03_third"):
        (project.root / f"notebooks/{page}.ipynb").unlink()
    assert project.run("book", "run")[0] == 0
    assert project.run("book", "publish")[0] == 0
    before = project.files("results", "notebooks", "executed/results")
    done = nbval(project, "notebooks")
    assert done.returncode == 0, done.stdout
    assert project.files("results", "notebooks", "executed/results") == before

    notebook = project.notebook("01_first")
    notebook["cells"][4]["outputs"][1]["text"] = "another number\n"
    project.write("notebooks/01_first.ipynb", json.dumps(notebook))
    assert "another number" in nbval(project, "notebooks/01_first.ipynb").stdout
