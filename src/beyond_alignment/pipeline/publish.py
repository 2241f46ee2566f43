"""The outputs of a whole quick run, copied back over the committed notebooks."""

from pathlib import Path

from beyond_alignment.files import write_text
from beyond_alignment.pipeline.clean import read_json, to_text, transplant
from beyond_alignment.pipeline.places import executed_file
from beyond_alignment.pipeline.profiles import Profile
from beyond_alignment.results.hashing import notebook_file, read_notebook


def publish(profile: Profile) -> list[Path]:
    """Copy outputs and execution counts over ``notebooks/``; sources stay as they are.

    Parameters
    ----------
    profile
        The profile whose executed pages are fresh.

    Returns
    -------
    list of Path
        The notebooks that changed.
    """
    changed = []
    for plan in profile.pages:
        path = notebook_file(plan.name)
        text = to_text(transplant(read_notebook(plan.name), read_json(executed_file(plan.name, profile.name))))
        if text != path.read_text(encoding="utf-8"):
            write_text(path, text)
            changed.append(path)
    return changed
