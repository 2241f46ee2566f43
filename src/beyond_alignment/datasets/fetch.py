"""Getting a file: from the cache, a mirror folder or the network, and only if it is the right one."""

import logging
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import pooch

from beyond_alignment.datasets.download import Unreachable, download
from beyond_alignment.datasets.integrity import mismatch
from beyond_alignment.datasets.registry import DataFile, DataSet, data_set
from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path
from beyond_alignment.project import CACHE_VARIABLE, MIRROR_VARIABLE

_STALE_SECONDS = 24 * 3600
_log = logging.getLogger(__name__)


class Unavailable(InputError):
    """A file that is in no place that was looked at.

    Parameters
    ----------
    file
        ``<dataset>/<path>``.
    reason
        Why it cannot be had, without the advice.
    offline
        Whether the network was tried and could not be reached.
    """

    def __init__(self, file: str, reason: str, *, offline: bool = False) -> None:
        super().__init__(f"{file} {reason}: name a folder that holds it in {MIRROR_VARIABLE}{' or connect' * offline}.")
        self.file = file
        self.reason = reason
        self.offline = offline


def cache_folder(cache: str | Path | None = None) -> Path:
    """Return the cache: ``cache``, else ``BEYOND_ALIGNMENT_CACHE``, else the platform's own cache folder."""
    named = cache or os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else Path(pooch.os_cache("beyond-alignment"))


def mirror_folder(mirror: str | Path | None = None) -> Path | None:
    """Return the mirror: ``mirror``, else ``BEYOND_ALIGNMENT_MIRROR``, else None.

    Raises
    ------
    InputError
        If the folder that was named does not exist.
    """
    named = mirror or os.environ.get(MIRROR_VARIABLE)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        msg = f"The mirror {folder} is not a folder: correct {MIRROR_VARIABLE} or unset it."
        raise InputError(msg)
    return folder


def fetch(
    dataset: str | DataSet,
    path: str,
    *,
    cache: str | Path | None = None,
    mirror: str | Path | None = None,
    progress: bool = True,
    network: bool = True,
) -> Path:
    """Return a verified local copy of one file, from the cache, the mirror or the network, in this order.

    Nothing takes its place in the cache before its size and hash agree with the registry, and it takes it in one
    step, so that an interrupted run or a second process leaves no half file behind.

    Parameters
    ----------
    dataset
        Name of a data set, or a record of its own.
    path
        Path of the file in the data set.
    cache, mirror
        Folders laid out as ``<folder>/<dataset>/<path>``; without them ``BEYOND_ALIGNMENT_CACHE`` and
        ``BEYOND_ALIGNMENT_MIRROR`` are read.
    progress
        Show a bar on a terminal while downloading.
    network
        Whether the network may be used.

    Raises
    ------
    InputError
        If the mirror's or the downloaded file is not the registered one (named, with what was expected and found), or
        the file can be had nowhere (``Unavailable``).
    """
    file = data_set(dataset).file(path)
    target = cache_folder(cache) / file.dataset / file.path
    try:
        damage = mismatch(target, file)
        if damage is None:
            return target
    except (FileNotFoundError, NotADirectoryError):
        damage = None
    if damage:
        _log.warning("The cached %s is damaged (%s) and is fetched again.", target, damage)
    try:
        _sweep(target)
        with atomic_path(target) as temporary:
            _obtain(file, temporary, target, mirror_folder(mirror), progress=progress, network=network)
    except OSError as error:
        msg = f"{target} cannot be written ({error.strerror or error}): name a folder of your own in {CACHE_VARIABLE}."
        raise InputError(msg) from error
    finally:
        if damage:
            _discard(target, file)
    return target


def find(
    file: DataFile, *, cache: str | Path | None = None, mirror: str | Path | None = None, verify: bool = True
) -> Path | None:
    """Return where the file lies in the cache or the mirror, or None; only a whole and right one where ``verify``."""
    for folder in (cache_folder(cache), mirror_folder(mirror)):
        if folder is None:
            continue
        place = folder / file.dataset / file.path
        if place.is_file() and not (verify and mismatch(place, file)):
            return place
    return None


def _obtain(
    file: DataFile, temporary: Path, target: Path, mirror: Path | None, *, progress: bool, network: bool
) -> None:
    """Fill ``temporary`` with the verified file, or raise."""
    name = f"{file.dataset}/{file.path}"
    copy = None if mirror is None else mirror / file.dataset / file.path
    if copy is not None and copy.is_file():
        shutil.copyfile(copy, temporary)
        origin = str(copy)
    elif file.url is None:
        raise Unavailable(name, "is in neither the cache nor the mirror and has no public address")
    elif not network:
        raise Unavailable(name, "is in neither the cache nor the mirror")
    else:
        try:
            download(file.url, temporary, label=name, progress=progress)
        except Unreachable as error:
            reason = f"is in neither the cache nor the mirror, and {error}"
            raise Unavailable(name, reason, offline=error.offline) from error
        origin = file.url
    if wrong := mismatch(temporary, file):
        msg = f"{origin} is not the registered {name}: {wrong}; it was refused and {target} was not written."
        raise InputError(msg)


def _discard(target: Path, file: DataFile) -> None:
    """Remove a cached file that is still damaged, but not a good one that another process has put there."""
    with suppress(OSError):
        if mismatch(target, file):
            target.unlink()


def _sweep(target: Path) -> None:
    """Remove what a killed process left beside ``target`` more than a day ago."""
    if not target.parent.is_dir():
        return
    for leftover in target.parent.iterdir():
        if leftover.name.startswith(f".{target.name}.") and leftover.suffix == target.suffix:
            with suppress(FileNotFoundError):
                if time.time() - leftover.stat().st_mtime > _STALE_SECONDS:
                    leftover.unlink()
