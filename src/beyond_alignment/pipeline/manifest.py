"""The manifest of a page: what it was made from, on what, how long it took, and what came out."""

import dataclasses
import json
import subprocess
from dataclasses import dataclass
from typing import Any

from beyond_alignment.files import write_text
from beyond_alignment.pipeline.places import executed_file, manifest_file
from beyond_alignment.pipeline.profiles import PagePlan
from beyond_alignment.project import root
from beyond_alignment.results import hashing, load
from beyond_alignment.results.locations import QUICK, folder, page_file, table_file
from beyond_alignment.results.provenance import package_versions, python_version

MACHINE_PARAMETERS = ("device",)


@dataclass(frozen=True)
class Manifest:
    """How one run of one page came about.

    Attributes
    ----------
    page, profile
        What was run.
    notebook, source
        Hashes of the notebook and of the package.
    parameters
        Every parameter with its value, the device left out.
    inputs
        Hash of each input before the run.
    products
        Hash of each file that the run made.
    versions, python, device, commit
        What it ran on.
    seconds
        How long it took.
    peak_memory_mb
        Most memory that its processes held at once, in MiB.
    """

    page: str
    profile: str
    notebook: str
    source: str
    parameters: dict[str, Any]
    inputs: dict[str, str]
    products: dict[str, str]
    versions: dict[str, str]
    python: str
    device: str
    commit: str
    seconds: float
    peak_memory_mb: float


@dataclass(frozen=True)
class Ingredients:
    """What a page is made from, as of now.

    Attributes
    ----------
    notebook, source
        Hashes of the notebook and of the package.
    parameters
        Every parameter with its value, the device left out.
    inputs
        Hash of each input.
    """

    notebook: str
    source: str
    parameters: dict[str, Any]
    inputs: dict[str, str]


def ingredients(plan: PagePlan) -> Ingredients:
    """Hash what a page would be made from now."""
    notebook = hashing.read_notebook(plan.name)
    names = hashing.page_inputs(plan.name, notebook, profile=plan.profile)
    parameters = {name: value for name, value in plan.parameters.items() if name not in MACHINE_PARAMETERS}
    inputs = hashing.input_hashes(names, profile=plan.profile)
    return Ingredients(hashing.notebook_hash(notebook), hashing.source_hash(), parameters, inputs)


def products(page: str, profile: str) -> dict[str, str]:
    """Hash what a run of a page made: the executed page, its results and tables, and the outputs that it names.

    Parameters
    ----------
    page
        Name of the page; its notebook may name further files in its metadata ``beyond_alignment`` as ``outputs``.
    profile
        Name of the profile.
    """
    named = hashing.read_notebook(page).get("metadata", {}).get("beyond_alignment", {}).get("outputs", [])
    paths = {f"executed {page}.ipynb": executed_file(page, profile), f"{page}.json": page_file(page, profile)}
    paths |= {name: root() / name for name in named}
    if page_file(page, profile).is_file():
        paths |= {f"table {name}": table_file(page, name, profile) for name in load(page, profile)["tables"]}
    return {name: hashing.file_hash(path) for name, path in paths.items()}


def record(plan: PagePlan, made_from: Ingredients, *, seconds: float, peak_memory_mb: float) -> Manifest:
    """Write the manifest of a page that has just been run; this is what makes the page count as finished.

    Parameters
    ----------
    plan
        The page.
    made_from
        What it was made from, taken before the run.
    seconds
        How long it took.
    peak_memory_mb
        Most memory that it held, in MiB.
    """
    manifest = Manifest(
        page=plan.name,
        profile=plan.profile,
        **dataclasses.asdict(made_from),
        products=products(plan.name, plan.profile),
        versions=package_versions(),
        python=python_version(),
        device=load(plan.name, plan.profile)["device"],
        commit=_commit(),
        seconds=round(seconds, 1),
        peak_memory_mb=round(peak_memory_mb),
    )
    text = json.dumps(dataclasses.asdict(manifest), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if plan.profile != QUICK:  # kept with the results, which are committed for the reference profile
        write_text(folder(plan.profile) / "manifests" / f"{plan.name}.json", text)
    write_text(manifest_file(plan.name, plan.profile), text)
    return manifest


def read(page: str, profile: str) -> Manifest | None:
    """Read the manifest of a page, or ``None`` where there is none that can be read."""
    try:
        return Manifest(**json.loads(manifest_file(page, profile).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


def _commit() -> str:
    """Return the commit checked out, or ``unknown``."""
    command = ["git", "-C", str(root()), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
