"""Temporary files of a run that was killed."""

from pathlib import Path

from beyond_alignment.pipeline.lock import is_locked
from beyond_alignment.pipeline.places import executed_folder
from beyond_alignment.project import root
from beyond_alignment.results import folder

TEMPORARY = ".*.????????.*"


def remove_leftovers(profile: str) -> list[Path]:
    """Remove the temporary files that a killed run of a profile left behind.

    Folders that every profile writes to are left alone while another profile is being run.

    Parameters
    ----------
    profile
        Name of the profile, whose lock the caller holds.

    Returns
    -------
    list of Path
        What was removed.
    """
    own = executed_folder(profile)
    places = [own, own / "manifests", own / "failed", folder(profile), folder(profile) / "tables"]
    others = [path.name for path in own.parent.iterdir() if path.is_dir() and path != own]
    if not any(is_locked(name) for name in others):
        places += [root() / "notebooks", root() / "data"]
    removed = [path for place in places for path in sorted(place.glob(TEMPORARY)) if path.is_file()]
    for path in removed:
        path.unlink(missing_ok=True)
    return removed
