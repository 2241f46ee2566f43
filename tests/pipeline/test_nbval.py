import json
import shutil
import subprocess
import sys

from beyond_alignment.project import MARKER


def nbval(project, pages="notebooks"):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-current-env",
        "-q",
        "-p",
        "no:cacheprovider",
        pages,
    ]
    return subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)


def test_published_pages_are_compared_and_their_results_left_alone(project, request):
    assert (request.config.rootpath / MARKER).is_file()
    shutil.copy(request.config.rootpath / "conftest.py", project.root / "conftest.py")
    project.write("pytest.ini", "[pytest]\n")
    assert project.run("book", "run")[0] == 0
    before = project.files("results", "notebooks")
    done = nbval(project)
    assert done.returncode == 0, done.stdout
    assert project.files("results", "notebooks") == before

    notebook = project.notebook("01_first")
    notebook["cells"][4]["outputs"][0]["text"] = "another number\n"
    project.write("notebooks/01_first.ipynb", json.dumps(notebook))
    assert "another number" in nbval(project, "notebooks/01_first.ipynb").stdout
