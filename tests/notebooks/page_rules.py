"""What holds of the code of every committed notebook.

Each rule takes a notebook as JSON and returns its faults, one sentence each; `prose_rules` has those on text.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from beyond_alignment.book.notebook import declared
from beyond_alignment.errors import InputError
from beyond_alignment.project import root
from tests.notebooks.prose_rules import bare_decimals, takeaways

MOST_LINES, WIDEST_LINE, MOST_BOOKKEEPING = 15, 96, 10
LEAST_COMPARED = 0.9
COLLAPSED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
NOT_SHOWN = {"remove-input", "remove-cell"}
BOOKKEEPING = re.compile(r"^(?:page = )?(?:page\.(?:values|claims|close)\(|(?:book\.)?Page\()")
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
    """Of the cells with text or table output nbval compares nine in ten; the others are tagged and given a reason."""
    faults, kept = [], []
    for number, cell, source in code_cells(notebook):
        if SKIPPING & _tags(cell) or "NBVAL_" in source:
            faults.append(f"cell {number} is kept from nbval otherwise than by the tag {IGNORED}")
        ignored = IGNORED in _tags(cell)
        if ignored and not str(cell["metadata"].get("reason", "")).strip():
            faults.append(f"cell {number} is tagged {IGNORED} without a reason in its metadata")
        if any(_is_compared(output) for output in cell["outputs"]) and "page.close()" not in source:
            kept.append(not ignored)
    if sum(kept) < LEAST_COMPARED * len(kept) or not kept:
        faults.append(f"nbval compares {sum(kept)} of {len(kept)} cells with text or tables; nine in ten are asked for")
    return faults


def _is_compared(output: Mapping[str, Any]) -> bool:
    """Say whether nbval compares an output."""
    data = output.get("data", {})
    text = any(kind in data for kind in COMPARED_TYPES) and "image/png" not in data
    return output["output_type"] == "stream" or text


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
    """Code cells have at most 15 lines, and a line fits the width of a page."""
    lines = {number: source.splitlines() for number, _, source in code_cells(notebook)}
    faults = [f"cell {number} has {len(found)} lines" for number, found in lines.items() if len(found) > MOST_LINES]
    wide = {number: max(map(len, found), default=0) for number, found in lines.items()}
    return faults + [f"cell {number} has a line of {n} characters" for number, n in wide.items() if n > WIDEST_LINE]


def collapsed(notebook: Notebook) -> list[str]:
    """Code is collapsed; the parameters, the set-up and what only records are not shown."""
    faults = []
    for number, cell, source in code_cells(notebook):
        tags, lines = _tags(cell), [line for line in source.splitlines() if line.strip()]
        recording = all(BOOKKEEPING.match(line) or line.startswith((" ", ")")) for line in lines)
        hidden = NOT_SHOWN if "parameters" in tags or recording or "Page(" in source else COLLAPSED
        if not hidden & tags:
            faults.append(f"cell {number} is not tagged {' or '.join(sorted(hidden))}")
    return faults


def bookkeeping(notebook: Notebook) -> list[str]:
    """At most ten lines of a page only record what others compute."""
    lines = 0
    for _, _, source in code_cells(notebook):
        for node in ast.parse(source).body:
            text = ast.get_source_segment(source, node) or ""
            lines += len(text.splitlines()) * bool(BOOKKEEPING.match(text))
    return [f"{lines} lines only record; at most {MOST_BOOKKEEPING}"] if lines > MOST_BOOKKEEPING else []


def parameterised(notebook: Notebook) -> list[str]:
    """There is one parameters cell with literals; whatever it declares beside the common three is used."""
    try:
        defaults = declared("the page", notebook)
    except InputError as error:
        return [str(error)]
    later = [source for _, cell, source in code_cells(notebook) if "parameters" not in _tags(cell)]
    faults = [] if isinstance(defaults.get("seed"), int) else ["the parameters cell sets no whole-number seed"]
    faults += [f"the parameter {name} is not declared" for name in ("recompute", "device") if name not in defaults]
    own = defaults.keys() - {"recompute", "device", "seed"}  # the recorder reads these three
    unused = [name for name in sorted(own) if not any(re.search(rf"\b{name}\b", source) for source in later)]
    return faults + [f"the parameter {name} is never used" for name in unused]


def closed(notebook: Notebook) -> list[str]:
    """The last code cell closes the page, and one before it shows the claims where the page tests any."""
    sources = [source for _, _, source in code_cells(notebook)]
    prose = "".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    faults = [] if sources and sources[-1].strip() == "page.close()" else ["the last code cell is not page.close()"]
    if not any("page.claims(" in source for source in sources) and "this page tests none" not in prose:
        faults.append("no cell shows page.claims(...), and the page does not say that it tests none")
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
        collapsed,
        bookkeeping,
        parameterised,
        closed,
        identified,
        portable,
        takeaways,
        bare_decimals,
    )
}
