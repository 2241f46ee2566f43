"""What holds of the code of every committed notebook.

Each rule takes a notebook as JSON and returns its faults, one sentence each; `prose_rules` has those on text.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from beyond_alignment.errors import InputError
from beyond_alignment.pipeline.parameters import declared
from beyond_alignment.pipeline.prose_rules import bare_decimals, takeaways
from beyond_alignment.project import root

MOST_LINES = 15
IGNORED = "nbval-ignore-output"
SKIPPING = {"nbval-skip", "nbval-raises-exception", "raises-exception"}
COMPARED_TYPES = ("text/plain", "text/html", "application/papermill.record/text/plain")
ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}")
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|Users|tmp)/\w+")

Notebook = Mapping[str, Any]
Rule = Callable[[Notebook], list[str]]


def code_cells(notebook: Notebook) -> Iterator[tuple[int, Mapping[str, Any], str]]:
    """Yield number, from 1 over all cells, cell, and source of each code cell."""
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] == "code":
            yield number, cell, "".join(cell["source"])


def _tags(cell: Mapping[str, Any]) -> set[str]:
    """Return the tags of a cell."""
    return set(cell["metadata"].get("tags", []))


def executed(notebook: Notebook) -> list[str]:
    """Every code cell was run, in order, and none of them failed or wrote to stderr."""
    faults = []
    for count, (number, cell, _) in enumerate(code_cells(notebook), start=1):
        if cell["execution_count"] != count:
            faults.append(f"cell {number} has execution count {cell['execution_count']}, expected {count}")
        for output in cell["outputs"]:
            if output["output_type"] == "error" or output.get("name") == "stderr":
                faults.append(f"cell {number} shows an error or output on stderr")
    return faults


def compared(notebook: Notebook) -> list[str]:
    """Every code cell is compared by nbval, or tagged and given a reason; at least one compared cell has an output."""
    faults, meaningful = [], 0
    for number, cell, source in code_cells(notebook):
        if SKIPPING & _tags(cell) or "NBVAL_" in source:
            faults.append(f"cell {number} is kept from nbval otherwise than by the tag {IGNORED}")
        if IGNORED in _tags(cell):
            if not str(cell["metadata"].get("reason", "")).strip():
                faults.append(f"cell {number} is tagged {IGNORED} without a reason in its metadata")
        else:
            meaningful += any(_is_compared(output) for output in cell["outputs"])
    return faults if meaningful else [*faults, "no cell has an output that nbval compares"]


def _is_compared(output: Mapping[str, Any]) -> bool:
    """Say whether nbval compares an output."""
    return output["output_type"] == "stream" or any(kind in output.get("data", {}) for kind in COMPARED_TYPES)


def only_calls(notebook: Notebook) -> list[str]:
    """No function, class, shell command or magic: a page calls the package."""
    faults = []
    for number, _, source in code_cells(notebook):
        try:
            tree = ast.parse(source)
        except SyntaxError:
            faults.append(f"cell {number} is not plain Python (a magic, a shell command such as pip, or an error)")
            continue
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        if any(isinstance(node, kinds) for node in ast.walk(tree)):
            faults.append(f"cell {number} defines a function or class; it belongs in the package")
        if re.search(r"\bpip\b", source):
            faults.append(f"cell {number} mentions pip; packages are installed with the project")
    return faults


def short(notebook: Notebook) -> list[str]:
    """Code cells have at most 15 lines."""
    counts = {number: len(source.splitlines()) for number, _, source in code_cells(notebook)}
    return [f"cell {number} has {lines} lines" for number, lines in counts.items() if lines > MOST_LINES]


def parameterised(notebook: Notebook) -> list[str]:
    """There is one parameters cell with literals, and it sets a seed that later cells use."""
    try:
        defaults = declared("the page", notebook)
    except InputError as error:
        return [str(error)]
    later = [source for _, cell, source in code_cells(notebook) if "parameters" not in _tags(cell)]
    faults = [] if isinstance(defaults.get("seed"), int) else ["the parameters cell sets no whole-number seed"]
    faults += [f"the parameter {name} is not declared" for name in ("profile", "device") if name not in defaults]
    unused = [name for name in defaults if not any(re.search(rf"\b{name}\b", source) for source in later)]
    return faults + [f"the parameter {name} is never used" for name in unused]


def closed(notebook: Notebook) -> list[str]:
    """Results are written, and the page ends with the claims table and, in the last code cell, the provenance."""
    sources = [source for _, _, source in code_cells(notebook)]
    faults = []
    if not sources or ".provenance()" not in sources[-1]:
        faults.append("the last code cell does not show page.provenance()")
    if not any(".claims_table()" in source for source in sources[-3:]):
        faults.append("none of the last three code cells shows page.claims_table()")
    if not any(".write()" in source for source in sources):
        faults.append("no cell calls page.write()")
    return faults


def identified(notebook: Notebook) -> list[str]:
    """Every cell has an id of its own: a missing one would be drawn anew at each run."""
    names = [cell.get("id") for cell in notebook["cells"]]
    faults = [f"cell {number} has no id" for number, name in enumerate(names, start=1) if not name]
    return faults if len(set(names)) == len(names) else [*faults, "two cells share an id"]


def portable(notebook: Notebook) -> list[str]:
    """No output holds an address in memory, a path of this machine, or a widget that loads from elsewhere."""
    faults = []
    for number, cell, _ in code_cells(notebook):
        for output in cell["outputs"]:
            data = {"text": output.get("text", ""), **output.get("data", {})}
            text = "\n".join("".join(part) for kind, part in data.items() if not kind.startswith("image/") and part)
            if ADDRESS.search(text):
                faults.append(f"cell {number} shows an address in memory; end it with plt.show() or a printed value")
            if MACHINE_PATH.search(text) or str(root()) in text:
                faults.append(f"cell {number} shows a path of this machine")
            if any("widget" in kind for kind in data):
                faults.append(f"cell {number} shows a widget, which loads from elsewhere")
    return faults


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        executed,
        compared,
        only_calls,
        short,
        parameterised,
        closed,
        identified,
        portable,
        takeaways,
        bare_decimals,
    )
}
