"""Numbers as they go into results: plain Python, six significant digits, finite."""

import math
from collections.abc import Mapping
from typing import Any

from beyond_alignment.errors import InputError

SIGNIFICANT = 6


def plain(value: Any, *, name: str) -> Any:
    """Return a value that JSON can hold, with floats rounded to six significant digits.

    Parameters
    ----------
    value
        A number, string, boolean, ``None``, numpy scalar or array, or lists, tuples and mappings of these.
    name
        What the value is called in the error.

    Raises
    ------
    InputError
        If a number is NaN or infinite, or the type is none of these.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            msg = f"{name} is {value}; results hold finite numbers only: leave it out, or say that it cannot be had."
            raise InputError(msg)
        return float(f"{value:.{SIGNIFICANT}g}")
    if isinstance(value, Mapping):
        return {str(key): plain(item, name=f"{name}[{key!r}]") for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain(item, name=name) for item in items]
    msg = f"{name} is of type {type(value).__name__}; results hold numbers, strings, lists and mappings only."
    raise InputError(msg)


def plain_interval(interval: Any, *, name: str) -> list[float] | None:
    """Return an interval as ``[low, high]``, or ``None``.

    Raises
    ------
    InputError
        If it is not two finite numbers in order.
    """
    if interval is None:
        return None
    pair = plain(interval, name=f"The interval of {name}")
    if not isinstance(pair, list) or len(pair) != 2 or pair[0] > pair[1]:
        msg = f"The interval of {name} is {interval!r}; expected (low, high) with low <= high."
        raise InputError(msg)
    return pair


def show(value: Any, *, digits: int = 3) -> str:
    """Return a number as a reader sees it: ``digits`` decimals for floats, nothing for what is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{rounded(value, digits):.{digits}f}" if isinstance(value, float) else str(value)


def rounded(value: float, digits: int) -> float:
    """Round to a number of decimals, a small negative number to zero without a sign."""
    return round(value, digits) + 0.0


def show_interval(interval: list[float] | None, *, digits: int = 3) -> str:
    """Return an interval as ``low to high``, empty where there is none."""
    return (
        ""
        if interval is None
        else f"{show(float(interval[0]), digits=digits)} to {show(float(interval[1]), digits=digits)}"
    )
