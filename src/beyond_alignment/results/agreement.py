"""Whether the quick and the reference profile tell the same story."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Agreement:
    """One quantity in both profiles.

    Attributes
    ----------
    key
        Key of the value, or id of the claim.
    quick
        What the quick profile measured.
    reference
        What the reference profile measured.
    agrees
        Whether they agree; ``None`` where the page declared the value to depend on the profile.
    """

    key: str
    quick: Mapping[str, Any]
    reference: Mapping[str, Any]
    agrees: bool | None


def agree(quick: Mapping[str, Any], reference: Mapping[str, Any]) -> tuple[Agreement, ...]:
    """Compare what two runs of a page measured, quantity by quantity.

    Numbers with an interval agree when the intervals overlap (a number without one counts as a point); numbers of
    which neither has an interval agree within the tolerance stated with the value, relative or absolute, whichever
    is wider; anything else has to be equal.

    Parameters
    ----------
    quick, reference
        Results of a page, as `load` returns them.

    Returns
    -------
    tuple of Agreement
        One for each value and each measured claim that both runs hold, in the order of their keys.
    """
    pairs = []
    for kind in ("values", "claims"):
        mine, theirs = quick[kind], reference[kind]
        shared = [key for key in mine if key in theirs]
        pairs += [
            (key, mine[key], theirs[key]) for key in shared if None not in (mine[key]["value"], theirs[key]["value"])
        ]
    return tuple(Agreement(key, mine, theirs, _same(mine, theirs)) for key, mine, theirs in pairs)


def _same(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool | None:
    """Compare one quantity."""
    tolerance = mine.get("tolerance", 0.0)
    if tolerance is None:
        return None
    value, other = mine["value"], theirs["value"]
    if isinstance(value, str | bool) or isinstance(other, str | bool):
        return bool(value == other)
    if mine["interval"] is None and theirs["interval"] is None:
        return math.isclose(value, other, rel_tol=tolerance, abs_tol=tolerance)
    low, high = mine["interval"] or (value, value)
    other_low, other_high = theirs["interval"] or (other, other)
    return bool(low <= other_high and other_low <= high)
