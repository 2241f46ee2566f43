import os
import random
import signal
import subprocess
import time

from beyond_alignment.pipeline.freshness import stale_because
from beyond_alignment.pipeline.profiles import load_profile

KILLS = int(os.environ.get("BEYOND_ALIGNMENT_KILLS", "2"))
RESULTS = ("results", "notebooks")


def kill_after(project, seconds):
    """Start a run and kill its whole process group after some seconds."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = project.command("book", "run", start_new_session=True, **quiet)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def whole_files(project):
    """Return results and notebooks, temporary files left out."""
    return {name: content for name, content in project.files(*RESULTS).items() if "/." not in name}


def test_a_run_killed_at_random_moments_goes_on_and_ends_with_the_same_results(project):
    began = time.monotonic()
    assert project.run("book", "run")[0] == 0
    seconds = time.monotonic() - began
    undisturbed = project.files(*RESULTS)
    draw = random.Random(20)
    for _ in range(KILLS):
        project.write("src/package/module.py", f"x = {draw.random()}\n")  # makes every page stale again
        kill_after(project, draw.uniform(0, seconds))
        assert whole_files(project) == undisturbed
        finished = sum(not stale_because(plan) for plan in load_profile("quick").pages)
        code, out, err = project.run("book", "run")
        assert (code, out) == (0, f"Profile quick: {3 - finished} pages run, {finished} fresh.\n"), err
        assert project.files(*RESULTS) == undisturbed
        assert [name for name in project.files("executed") if "/." in name] == ["executed/quick/.lock"]
