"""One run of a profile at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beyond_alignment.errors import InputError
from beyond_alignment.pipeline.places import executed_folder


def lock_file(profile: str) -> Path:
    """Return the path of a profile's lock, which holds the process id of the run."""
    return executed_folder(profile) / ".lock"


@contextmanager
def run_lock(profile: str) -> Iterator[None]:
    """Hold a profile for the time of a run; the system lets go of it when the process ends, however it ends.

    Parameters
    ----------
    profile
        Name of the profile.

    Raises
    ------
    InputError
        If another process is running the profile.
    """
    path = lock_file(profile)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            owner = stream.read().strip() or "unknown"
            msg = f"Profile {profile} is already being run by process {owner}: wait for it, or stop it, and run again."
            raise InputError(msg) from None
        stream.seek(0)
        stream.truncate()
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def is_locked(profile: str) -> bool:
    """Say whether some process is running a profile."""
    path = lock_file(profile)
    if not path.is_file():
        return False
    with path.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
