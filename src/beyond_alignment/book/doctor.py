"""Whether this machine can run the book, and with what."""

import json
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from beyond_alignment.book.notebook import declared, page_names, read_notebook
from beyond_alignment.files import file_sha256
from beyond_alignment.project import root

GIB = 2**30
LEAST_MEMORY_GIB = 4


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    what
        What was looked at.
    ok
        Whether it is as it should be.
    found
        What was found, and what to do where that is not good.
    needed
        Whether the book needs it.
    """

    what: str
    ok: bool
    found: str
    needed: bool


def examine() -> list[Finding]:
    """Look at Python, packages, kernel, device, memory, pages, data, release and experts."""
    checks: list[Callable[[], list[Finding]]] = [
        _python,
        _packages,
        _kernel,
        _device,
        _memory,
        _pages,
        _release,
        _data,
        _experts,
    ]
    return [finding for check in checks for finding in _guarded(check)]


def _guarded(check: Callable[[], list[Finding]]) -> list[Finding]:
    """Turn a check that fails into a finding: the doctor always reports."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 a broken installation can raise anything
        return [
            Finding(
                check.__name__.strip("_"),
                False,
                f"{type(error).__name__}: {error}",
                check not in (_data, _experts, _device),
            )
        ]


def _python() -> list[Finding]:
    """Check the version of Python."""
    return [
        Finding("Python", sys.version_info >= (3, 11), f"{platform.python_version()}, 3.11 or newer is needed", True)
    ]


def _packages() -> list[Finding]:
    """Compare what is installed with what the project pins."""
    wanted = [Requirement(text) for text in requires("beyond-alignment") or []]
    missing, other = [], []
    for requirement in (item for item in wanted if item.marker is None or item.marker.evaluate()):
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            missing.append(requirement.name)
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            other.append(f"{requirement.name} {found}, pinned {requirement.specifier}")
    if missing:
        return [Finding("packages", False, f"missing: {', '.join(missing)}; install the project again", True)]
    if other:
        return [Finding("packages", False, f"not as pinned: {'; '.join(other)}; numbers may differ", False)]
    return [Finding("packages", True, f"{len(wanted)} requirements, all as pinned", True)]


def _kernel() -> list[Finding]:
    """Look for the kernel that papermill uses."""
    from jupyter_client.kernelspec import KernelSpecManager

    specification = KernelSpecManager().get_kernel_spec("python3")
    return [Finding("kernel", True, f"python3 ({specification.display_name})", True)]


def _device() -> list[Finding]:
    """Ask torch what it computes on."""
    import torch  # takes seconds

    name = f"cuda, {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "cpu; enough for the book"
    return [Finding("device", True, f"torch {torch.__version__} on {name}", False)]


def _memory() -> list[Finding]:
    """Look at the memory of the machine."""
    memory = psutil.virtual_memory()
    text = f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB free, {psutil.cpu_count()} cores"
    return [
        Finding(
            "memory", memory.available >= LEAST_MEMORY_GIB * GIB, f"{text}; {LEAST_MEMORY_GIB} GiB are enough", False
        )
    ]


def _pages() -> list[Finding]:
    """Read the notebooks and their parameters."""
    pages = [page for page in page_names() if declared(page, read_notebook(page))]
    return [Finding("pages", bool(pages), f"{len(pages)} notebooks, their parameters can be read", True)]


def _release() -> list[Finding]:
    """Verify the frozen-embedding release against its manifest."""
    path = root() / "data" / "manifest.json"
    if not path.is_file():
        text = f"data/{path.name} is missing; restore data/ from version control, or make it by page 02 from raw data"
        return [Finding("release", False, text, needed=not _raw_sections("her2st"))]
    files = json.loads(path.read_text(encoding="utf-8"))["files"]
    wrong = [name for name, entry in files.items() if _sha256(path.parent / name) != entry["sha256"]]
    if wrong:
        return [Finding("release", False, f"missing or altered: {', '.join(wrong)}; restore data/", True)]
    return [Finding("release", True, f"{len(files)} files in data/, checksums right", True)]


def _sha256(path: Path) -> str:
    """Hash a file; empty where there is none."""
    return file_sha256(path) if path.is_file() else ""


def _raw_sections(name: str) -> tuple[str, ...]:
    """Return the sections of a data set whose raw files are at hand."""
    from beyond_alignment.datasets import at_hand  # slow to import

    return at_hand(name)


def _data() -> list[Finding]:
    """Say which raw data are at hand."""
    from beyond_alignment.datasets import data_sets

    findings = []
    for record in (item for item in data_sets() if item.sections):
        found = _raw_sections(record.name)
        absent = "none at hand; the release stands in, or name a mirror in BEYOND_ALIGNMENT_MIRROR"
        text = f"{len(found)} of {len(record.sections)} sections: {', '.join(found)}" if found else absent
        findings.append(Finding(f"raw {record.name}", bool(found), text, False))
    return findings


def _experts() -> list[Finding]:
    """Say which experts can be used here and, for the others, exactly what is missing."""
    from beyond_alignment.experts.availability import availability
    from beyond_alignment.experts.registry import EXPERTS

    found = {name: availability(name) for name in EXPERTS}
    usable = {name: here for name, here in found.items() if here.usable}
    ready = [name for name, here in usable.items() if not here.download_gb]
    fetched = [f"{name} ({here.download_gb:.1f} GB)" for name, here in usable.items() if here.download_gb]
    findings = [Finding("experts, ready", bool(ready), ", ".join(ready) or "none", False)]
    if fetched:
        findings.append(Finding("experts, from the hub", True, f"fetched at first use: {', '.join(fetched)}", False))
    lacking = [Finding(f"expert {n}", False, "; ".join(found[n].missing), False) for n in found if n not in usable]
    return findings + lacking
