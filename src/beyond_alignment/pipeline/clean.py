"""An executed notebook without what changes from run to run: the source as committed, plus outputs and counts."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ADDED_TAGS = {"injected-parameters", "papermill-error-cell-tag"}
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}


def read_json(path: Path) -> dict[str, Any]:
    """Read a notebook as plain JSON."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def to_text(notebook: Mapping[str, Any]) -> str:
    """Return a notebook as the text of its file, the same for the same notebook."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def transplant(source: Mapping[str, Any], executed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source notebook with the outputs of an executed one.

    Cells that papermill added are left out and the remaining execution counts renumbered from 1, so that two runs of
    one notebook give the same bytes.

    Parameters
    ----------
    source
        The notebook as committed; its cells are kept as they are.
    executed
        The same notebook after a run.

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
