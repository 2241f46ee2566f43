"""The parameters that a notebook declares, and whether a profile's values fit them."""

import ast
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from beyond_alignment.errors import InputError


def nearest(name: str, known: list[str]) -> str:
    """Say which known name was probably meant, or list them all."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known) or 'none'}."


def declared(page: str, notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a notebook with their defaults.

    Parameters
    ----------
    page
        Name of the page, for errors.
    notebook
        The notebook as JSON, with exactly one cell tagged ``parameters`` that assigns literals to names.

    Raises
    ------
    InputError
        If there is not exactly one such cell, or it holds anything but assignments of literals.
    """
    cells = [cell for cell in notebook["cells"] if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(cells) != 1:
        msg = f"{page} has {len(cells)} cells tagged 'parameters'; tag exactly one."
        raise InputError(msg)
    return dict(_assignment(page, statement) for statement in ast.parse("".join(cells[0]["source"])).body)


def _assignment(page: str, statement: ast.stmt) -> tuple[str, Any]:
    """Read one ``name = literal``."""
    target: ast.expr | None = None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    try:
        if not isinstance(target, ast.Name):
            raise ValueError
        value = ast.literal_eval(statement.value)  # type: ignore[attr-defined]
        if isinstance(value, tuple | set):
            raise ValueError
    except ValueError:
        text = ast.unparse(statement)
        msg = f"The parameters cell of {page} holds {text!r}; it may only give names numbers, strings, lists or None."
        raise InputError(msg) from None
    return target.id, value


def resolve(page: str, defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page's parameters: those given by a profile, the notebook's defaults for the rest.

    Parameters
    ----------
    page
        Name of the page, for errors.
    defaults
        What the notebook declares.
    given
        What the profile says.

    Raises
    ------
    InputError
        If a given name is not declared, or its value is of another type than the default.
    """
    for name, value in given.items():
        if name not in defaults:
            msg = f"{page} has no parameter {name!r}: {nearest(name, list(defaults))}"
            raise InputError(msg)
        if not _fits(value, defaults[name]):
            expected, found = (type(item).__name__ for item in (defaults[name], value))
            msg = f"Parameter {name!r} of {page} is {value!r} ({found}); expected {expected} like {defaults[name]!r}."
            raise InputError(msg)
    return {**defaults, **given}


def _fits(value: Any, default: Any) -> bool:
    """Compare types; whole numbers pass for floats, and ``None`` as a default passes anything."""
    if default is None:
        return True
    if isinstance(default, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return True
    if type(value) is not type(default):
        return False
    if isinstance(default, list) and default:
        return all(_fits(item, default[0]) for item in value)
    return True
