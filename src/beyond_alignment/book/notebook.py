"""The notebooks of the book: their names and parameters, and an executed one without what changes from run to run."""

import ast
import copy
import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from beyond_alignment.errors import InputError
from beyond_alignment.project import root

ADDED_TAGS = {"injected-parameters", "papermill-error-cell-tag"}
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}


def toc_pages() -> list[str]:
    """Return the pages that ``_toc.yml`` names, without suffix, in reading order."""
    content = yaml.safe_load((root() / "_toc.yml").read_text(encoding="utf-8"))
    return [page.removesuffix(".md").removesuffix(".ipynb") for page in _files(content)]


def _files(node: Any) -> list[str]:
    """Collect ``root`` and ``file`` entries, however deep."""
    if isinstance(node, list):
        return [page for item in node for page in _files(item)]
    if not isinstance(node, dict):
        return []
    own = [str(node[key]) for key in ("root", "file") if key in node]
    return own + [page for value in node.values() if isinstance(value, list | dict) for page in _files(value)]


def page_names() -> list[str]:
    """Return the names of the notebooks in the order of their numbers."""
    return sorted(path.stem for path in (root() / "notebooks").glob("[0-9]*.ipynb"))


def find_page(name: str) -> str:
    """Return the one page that a name or a number (``3``, ``03``) stands for.

    Raises
    ------
    InputError
        If there is none.
    """
    names = page_names()
    found = [page for page in names if page == name or page.split("_")[0] == name.zfill(2)]
    if len(found) != 1:
        msg = f"There is no page {name!r}: {nearest(name, names)}"
        raise InputError(msg)
    return found[0]


def nearest(name: str, known: list[str]) -> str:
    """Say which known name was probably meant, or list them all."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known) or 'none'}."


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
    try:
        content = read_json(notebook_file(page))
        content["cells"]
    except FileNotFoundError:
        msg = f"There is no notebook notebooks/{page}.ipynb: check the name of the page."
        raise InputError(msg) from None
    except (json.JSONDecodeError, KeyError, TypeError):
        msg = f"notebooks/{page}.ipynb is not a notebook: restore it from version control."
        raise InputError(msg) from None
    return content


def declared(page: str, notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a notebook with their defaults: the literals of its one cell tagged ``parameters``.

    Raises
    ------
    InputError
        If there is not exactly one such cell, or it holds anything but assignments of literals.
    """
    cells = [cell for cell in notebook["cells"] if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(cells) != 1:
        msg = f"{page} has {len(cells)} cells tagged 'parameters'; tag exactly one."
        raise InputError(msg)
    return assigned("".join(cells[0]["source"]), f"The parameters cell of {page}")


def assigned(source: str, what: str) -> dict[str, Any]:
    """Read lines of ``name = literal``.

    Raises
    ------
    InputError
        If there is anything else among them.
    """
    found = {}
    for statement in ast.parse(source).body:
        try:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)]):
                    found[name] = ast.literal_eval(statement.value)
                case _:
                    raise ValueError
            if isinstance(found[name], tuple | set):
                raise ValueError
        except ValueError:
            text = ast.unparse(statement)
            msg = f"{what} holds {text!r}; it may only give names numbers, strings, lists or None."
            raise InputError(msg) from None
    return found


def fits(value: Any, default: Any) -> bool:
    """Say whether a value is of the type of a parameter's default; whole numbers pass for floats."""
    if default is None:
        return True
    if isinstance(default, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return True
    if type(value) is not type(default):
        return False
    if isinstance(default, list) and default:
        return all(fits(item, default[0]) for item in value)
    return True


def read_json(path: Path) -> dict[str, Any]:
    """Read a notebook as plain JSON."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def to_text(notebook: Mapping[str, Any]) -> str:
    """Return a notebook as the text of its file, the same for the same notebook."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def transplant(source: Mapping[str, Any], executed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source notebook with the outputs of an executed one: two runs of one notebook give the same bytes.

    Cells that papermill added are left out and the remaining execution counts renumbered from 1.

    Raises
    ------
    ValueError
        If the two do not hold the same cells.
    """
    cells = [cell for cell in executed["cells"] if not ADDED_TAGS & set(cell["metadata"].get("tags", []))]
    result = copy.deepcopy(dict(source))
    if ["".join(cell["source"]) for cell in cells] != ["".join(cell["source"]) for cell in result["cells"]]:
        msg = "The executed notebook does not hold the cells of its source."
        raise ValueError(msg)
    count = 0
    for cell, ran in zip(result["cells"], cells, strict=True):
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
            cell["outputs"] = [_plain_output(output, count) for output in ran["outputs"]]
    result["metadata"] = {**result["metadata"], "kernelspec": KERNELSPEC, "language_info": LANGUAGE}
    return result


def _plain_output(output: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Give an output the count of its cell."""
    return {**output, "execution_count": count} if "execution_count" in output else dict(output)
