"""The scenarios by name, and their exact decomposition."""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.broja import broja
from beyond_alignment.information.known_truth.donors import donors_scenarios
from beyond_alignment.information.known_truth.held_out import held_out_scenarios
from beyond_alignment.information.known_truth.scenario import Scenario
from beyond_alignment.information.known_truth.tables import with_prior
from beyond_alignment.information.known_truth.tuning import tuning_scenarios
from beyond_alignment.information.pid import PID

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {scenario.name: scenario for scenario in (*tuning_scenarios(), *held_out_scenarios(), *donors_scenarios())}
)
"""Name -> scenario; the common family, then donors that differ, those for tuning first in either."""

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


def conditional(p: NDArray[np.float64], shares: NDArray[np.float64], sizes: NDArray[np.int64]) -> PID:
    """Decompose what sources tell about a label beyond the donor: the mean over donors, weighted by their sizes."""
    of_donors = [asdict(decompose(with_prior(p, of_donor))) for of_donor in shares]
    return PID(**{term: float(np.average([d[term] for d in of_donors], weights=sizes)) for term in of_donors[0]})


def truth(scenario: Scenario | str) -> PID:
    """Exact decomposition of what the two sources of a scenario tell about its label.

    Where donors differ this is what the sources would tell if they did not; a sample's own `pid` is conditional on its
    donors.

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
