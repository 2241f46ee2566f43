"""What a page is made from, as hashes: its notebook, the package, its parameters and its inputs."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from beyond_alignment.errors import InputError
from beyond_alignment.files import file_sha256
from beyond_alignment.project import root
from beyond_alignment.results.locations import REFERENCE, folder, page_file, table_file

ABSENT = "absent"
SOURCE_SUFFIXES = (".py", ".yaml", ".yml", ".json")


def text_hash(content: Any) -> str:
    """Return the sha256 of a JSON-like object, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """Return the sha256 of a file, or ``absent``."""
    return file_sha256(path) if path.is_file() else ABSENT


def notebook_file(page: str) -> Path:
    """Return the path of a page's notebook."""
    return root() / "notebooks" / f"{page}.ipynb"


def read_notebook(page: str) -> dict[str, Any]:
    """Read a page's notebook as plain JSON.

    Raises
    ------
    InputError
        If there is no such notebook, or it is not one.
    """
    path = notebook_file(page)
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        content["cells"]
    except FileNotFoundError:
        msg = f"There is no notebook notebooks/{page}.ipynb: check the name of the page."
        raise InputError(msg) from None
    except (json.JSONDecodeError, KeyError, TypeError):
        msg = f"notebooks/{page}.ipynb is not a notebook: restore it from version control."
        raise InputError(msg) from None
    return content


def notebook_hash(notebook: Mapping[str, Any]) -> str:
    """Return a hash of what a notebook does, blind to outputs, execution counts and editor metadata.

    Parameters
    ----------
    notebook
        The notebook as JSON; cell types, sources, tags and the metadata ``beyond_alignment`` are hashed.
    """
    cells = [
        (cell["cell_type"], "".join(cell["source"]), sorted(cell.get("metadata", {}).get("tags", [])))
        for cell in notebook["cells"]
    ]
    return text_hash([cells, notebook.get("metadata", {}).get("beyond_alignment", {})])


def source_hash() -> str:
    """Return a hash of the package's source files, names and contents."""
    source = root() / "src"
    files = sorted(
        path for path in source.rglob("*") if path.suffix in SOURCE_SUFFIXES and ".egg-info" not in str(path)
    )
    return text_hash([(path.relative_to(source).as_posix(), file_hash(path)) for path in files])


def input_hashes(names: list[str], *, profile: str) -> dict[str, str]:
    """Hash what a page reads.

    Parameters
    ----------
    names
        Paths from the project root; ``{results}/...`` stands for the profile's results, ``raw:<data set>`` for the
        sections of which every raw file is at hand, and ``reference:<page>`` for a page's reference results, or
        ``reference:<page>/<table>`` for one of its tables there.
    profile
        Name of the profile.

    Returns
    -------
    dict
        Name to hash; ``absent`` for a file that is not there.
    """
    return {name: _input_hash(name, profile) for name in names}


def _input_hash(name: str, profile: str) -> str:
    """Hash one input."""
    if name.startswith("raw:"):
        from beyond_alignment.datasets import at_hand  # slow to import, and only pages on raw data need it

        return text_hash(list(at_hand(name.removeprefix("raw:"))))
    if name.startswith("reference:"):
        page, _, table = name.removeprefix("reference:").partition("/")
        return file_hash(table_file(page, table, REFERENCE) if table else page_file(page, REFERENCE))
    if name.startswith("{results}/"):
        return file_hash(folder(profile) / name.removeprefix("{results}/"))
    return file_hash(root() / name)


def page_inputs(page: str, notebook: Mapping[str, Any], *, profile: str) -> list[str]:
    """Return what a page reads: the inputs that its notebook names, and the reference run that it is shown beside.

    The reference run itself reads nothing of what it makes.
    """
    named = list(notebook.get("metadata", {}).get("beyond_alignment", {}).get("inputs", []))
    if profile == REFERENCE:
        return [name for name in named if not name.startswith(f"reference:{page}")]
    return [*named, f"reference:{page}"]
