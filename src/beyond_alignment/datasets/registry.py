"""The registry: every file of every data set, with its address, length, hash, licence and source."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import yaml

from beyond_alignment.errors import InputError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
EXTRA = "extra"
OVERVIEW = "overview"
IMAGE_ROLES = frozenset({"image", OVERVIEW, "colour"})


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One published file.

    Parameters
    ----------
    dataset
        Name of its data set.
    path
        Path inside the data set: below ``<cache>/<dataset>/`` and ``<mirror>/<dataset>/``.
    role
        What a reader uses it for (``counts``, ``spots``, ``image``, ...); ``extra`` is recorded and never read.
    url
        Public address, or None where it has none.
    size
        Bytes, or None where only the git blob id is known.
    sha256, git_blob
        Hexadecimal digests; at least one is known.
    sections
        Sections that need it; empty means all.
    scale
        Of an image: image pixel = full-resolution pixel * scale.

    Raises
    ------
    InputError
        If an entry cannot be used: no digest, a path that leaves the data set, a negative size.
    """

    dataset: str
    path: str
    role: str
    url: str | None
    size: int | None = None
    sha256: str | None = None
    git_blob: str | None = None
    sections: tuple[str, ...] = ()
    scale: float | None = None

    def __post_init__(self) -> None:
        name = f"{self.dataset}/{self.path}"
        parts = PurePosixPath(self.path)
        if not self.path or parts.is_absolute() or ".." in parts.parts:
            _refuse(name, "a path inside the data set", self.path)
        if self.sha256 is None and self.git_blob is None:
            _refuse(name, "a sha256 or a git blob id", "neither")
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            _refuse(name, "64 hexadecimal digits of sha256", self.sha256)
        if self.git_blob is not None and not _SHA1.fullmatch(self.git_blob):
            _refuse(name, "40 hexadecimal digits of a git blob id", self.git_blob)
        if self.size is not None and self.size < 0:
            _refuse(name, "a size of 0 bytes or more", self.size)
        if self.size is None and self.sha256 is not None:
            _refuse(name, "a size beside the sha256", None)
        if self.url is not None and not self.url.startswith(("https://", "http://")):
            _refuse(name, "a web address", self.url)
        if self.role in IMAGE_ROLES and not (self.scale and self.scale > 0):
            _refuse(name, "a positive scale for an image", self.scale)


@dataclass(frozen=True, kw_only=True)
class Section:
    """One tissue section: its name, donor and the size of a full-resolution pixel in microns."""

    name: str
    donor: str
    microns_per_pixel: float

    def __post_init__(self) -> None:
        if self.microns_per_pixel <= 0:
            _refuse(self.name, "positive microns per pixel", self.microns_per_pixel)


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """One data set: what it is, under which licence, where from, its sections and its files.

    Parameters
    ----------
    source
        ``owner/repository@commit``, or words where there is no such address.
    citation
        Key in the bibliography of the book.
    spot_diameter_um, pitch_um
        Diameter of a spot and distance between neighbours in microns; None where there are no spots.
    coverage
        What it holds, what it lacks, and how its scale was measured.
    """

    name: str
    title: str
    species: str | None
    licence: str
    source: str
    doi: str
    citation: str
    coverage: str
    spot_diameter_um: float | None
    pitch_um: float | None
    sections: Mapping[str, Section]
    files: tuple[DataFile, ...]

    def __post_init__(self) -> None:
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            _refuse(self.name, "every path once", "a path twice")
        for file in self.files:
            if unknown := set(file.sections) - set(self.sections):
                _refuse(f"{self.name}/{file.path}", f"sections among {', '.join(self.sections)}", sorted(unknown))

    def file(self, path: str) -> DataFile:
        """Return the record of the file at ``path``, or raise InputError."""
        for file in self.files:
            if file.path == path:
                return file
        msg = f"{self.name} has no file {path}: take one of the {len(self.files)} paths in the registry."
        raise InputError(msg)

    def needed(self, section: str, *, images: bool = True, overview: Iterable[str] = ()) -> tuple[DataFile, ...]:
        """Return the files that a section is read from, with its overview instead of its image where asked."""
        wanted = [f for f in self.files if f.role != EXTRA and (not f.sections or section in f.sections)]
        if not images:
            return tuple(f for f in wanted if f.role not in IMAGE_ROLES)
        left_out = "image" if section in set(overview) else OVERVIEW
        return tuple(f for f in wanted if f.role != left_out)

    def choose(self, sections: Iterable[str] | None) -> tuple[str, ...]:
        """Return the sections asked for, all where none are, or raise InputError listing those that exist."""
        if sections is None:
            return tuple(self.sections)
        asked = tuple(dict.fromkeys([sections] if isinstance(sections, str) else sections))
        if unknown := [s for s in asked if s not in self.sections]:
            msg = f"{self.name} has no section {', '.join(unknown)}: it has {', '.join(self.sections)}."
            raise InputError(msg)
        if not asked:
            msg = f"No section of {self.name} was asked for: name at least one of {', '.join(self.sections)}."
            raise InputError(msg)
        return asked


def _refuse(name: str, expected: str, found: object) -> None:
    """Raise the error of a registry entry."""
    msg = f"The registry entry {name} is unusable: expected {expected}, found {found}; correct registry.yaml."
    raise InputError(msg)


def data_set_from(name: str, entry: Mapping[str, Any]) -> DataSet:
    """Build and check one data set from its entry in the YAML file.

    Raises
    ------
    InputError
        If the entry is incomplete or wrong.
    """
    entry = dict(entry)
    base = entry.pop("base_url", None)
    try:
        sections = {s: Section(name=s, **fields) for s, fields in entry.pop("sections").items()}
        records = []
        for fields in entry.pop("files"):
            fields = dict(fields)
            url = fields.pop("url", None if base is None else base + quote(fields["path"]))
            records.append(DataFile(dataset=name, url=url, sections=tuple(fields.pop("sections", ())), **fields))
        return DataSet(name=name, sections=sections, files=tuple(records), **entry)
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"The registry entry {name} is unusable: {error}; correct registry.yaml."
        raise InputError(msg) from error


@lru_cache(maxsize=1)
def _all() -> Mapping[str, DataSet]:
    """Read the registry once."""
    text = files("beyond_alignment.datasets").joinpath("registry.yaml").read_text(encoding="utf-8")
    return {name: data_set_from(name, entry) for name, entry in yaml.safe_load(text).items()}


def data_sets() -> tuple[DataSet, ...]:
    """Return the records of every data set: title, licence, source, citation key, sections, files."""
    return tuple(_all().values())


def data_set(name: str | DataSet) -> DataSet:
    """Return the record of the data set ``name``; a record is returned as it is.

    Raises
    ------
    InputError
        If there is no data set of that name.
    """
    if isinstance(name, DataSet):
        return name
    if name not in _all():
        msg = f"There is no data set {name}: the registry has {', '.join(_all())}."
        raise InputError(msg)
    return _all()[name]
