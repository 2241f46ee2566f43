"""The scenarios by name, and their exact decomposition."""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.broja import broja
from beyond_alignment.information.known_truth.held_out import held_out_scenarios
from beyond_alignment.information.known_truth.scenario import Scenario
from beyond_alignment.information.known_truth.tuning import tuning_scenarios
from beyond_alignment.information.pid import PID

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {scenario.name: scenario for scenario in (*tuning_scenarios(), *held_out_scenarios())}
)
"""Name -> scenario; those for tuning first."""

ROUNDING_BITS = 1e-12

_truths: dict[bytes, PID] = {}


def find(name: str) -> Scenario:
    """Return the scenario of that name; InputError where there is none."""
    if name not in SCENARIOS:
        raise InputError(f"There is no scenario {name!r}; choose one of {', '.join(SCENARIOS)}.")
    return SCENARIOS[name]


def decompose(p: NDArray[np.float64]) -> PID:
    """Decompose a table once; terms of the size of rounding are 0, so that no score is made of them."""
    key = p.tobytes() + bytes(str(p.shape), "ascii")
    if key not in _truths:
        terms = {name: 0.0 if value < ROUNDING_BITS else value for name, value in asdict(broja(p)).items()}
        _truths[key] = PID(**terms)
    return _truths[key]


def truth(scenario: Scenario | str) -> PID:
    """Exact decomposition of what the two sources of a scenario tell about its label.

    Parameters
    ----------
    scenario
        A scenario or the name of one of `SCENARIOS`.

    Returns
    -------
    The decomposition in bits; `gap` certifies its distance to the optimum.

    Raises
    ------
    InputError
        There is no scenario of that name.
    """
    return decompose((find(scenario) if isinstance(scenario, str) else scenario).p)
