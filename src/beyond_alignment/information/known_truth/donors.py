"""Scenarios whose donors differ: in the shares of the classes and in the features."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.information.gates import gate
from beyond_alignment.information.known_truth.continuous import N_CELLS, additive_law, continuous_table
from beyond_alignment.information.known_truth.mixture import mixture
from beyond_alignment.information.known_truth.scenario import MILD, Role, Scenario, Symbol, symbols
from beyond_alignment.information.known_truth.tables import noisy_views, side_by_side, symbol_table, with_label_noise

_BIT, _TWO_BITS, _THREE, _FIVE = symbols(2), symbols(2, 2), symbols(3), symbols(5)
_CURVE = (Symbol(N_CELLS, continuous=True),)
_PRIVATE = {"a": 2, "b": 2}


def _differ(batch_effect: float, share_spread: float, n_donors: int = 6, **observed: Any) -> dict[str, Any]:
    """Fields of a scenario whose donors differ."""
    plain = {"family": "donors", "group_effect": 0.0, "d1": 64, "d2": 64}
    return {**plain, "batch_effect": batch_effect, "share_spread": share_spread, "n_donors": n_donors, **observed}


def _noise(n_states: int, *prior: float) -> NDArray[np.float64]:
    """Joint table of two independent sources and a label that is unrelated to both."""
    return np.full((n_states, n_states, 1), 1 / n_states**2) * np.array(prior)


def _tuning() -> tuple[Scenario, ...]:
    """Scenarios on which estimators may be tuned."""
    role: Role = "tuning"
    unique = with_label_noise(symbol_table({"a": 3, "b": 3}, ("a",), ("b",), lambda a, b: b), 0.05)
    shared = with_label_noise(symbol_table({"s": 4}, ("s",), ("s",), lambda s: s), 0.1)
    curve = continuous_table(additive_law(6, 8))
    return (
        Scenario("tuning_donors_noise", "Donors alone", role, _noise(3, 0.6, 0.4), _THREE, _THREE, **_differ(1.5, 1.0)),
        Scenario(
            "tuning_donors_redundant", "Shared symbol", role, shared, symbols(4), symbols(4), **_differ(0.4, 0.15)
        ),
        Scenario("tuning_donors_unique", "Symbol of the second", role, unique, _THREE, _THREE, **_differ(1.0, 0.6)),
        Scenario(
            "tuning_donors_views", "Two views", role, noisy_views(2, (0.15, 0.15)), _BIT, _BIT, **_differ(1.5, 0.5)
        ),
        Scenario(
            "tuning_donors_xor",
            "XOR, noisy label",
            role,
            with_label_noise(gate("xor"), 0.06),
            _BIT,
            _BIT,
            **_differ(0.7, 0.3, n_donors=8),
        ),
        mixture(0.35, 0.25, 0.1, 0.3, name="tuning_donors_mixture", title="Mixture", role=role, **_differ(1.0, 0.3)),
        Scenario("tuning_donors_curve", "Logistic in two curves", role, curve, _CURVE, _CURVE, **_differ(0.3, 0.8, 4)),
    )


def _held_out() -> tuple[Scenario, ...]:
    """Scenarios on which estimators are judged."""
    role: Role = "held_out"
    redundant = with_label_noise(symbol_table({"s": 5}, ("s",), ("s",), lambda s: s), 0.1)
    unique = with_label_noise(gate("unique1"), 0.1)
    copy = with_label_noise(gate("copy"), 0.05)
    shared_xor = symbol_table({"s": 2, **_PRIVATE}, ("s", "a"), ("s", "b"), lambda s, a, b: 2 * s + (a ^ b))
    conjunction = with_label_noise(gate("and"), 0.05)
    total = symbol_table({"a": 3, "b": 3}, ("a",), ("b",), lambda a, b: a + b)
    views_xor = side_by_side(noisy_views(2, (0.1, 0.2)), gate("xor"))
    curve = continuous_table(additive_law(9, 6))
    xor = with_label_noise(gate("xor"), 0.08)
    views, rare = noisy_views(3, (0.2, 0.3)), _noise(2, 0.7, 0.3)
    return (
        Scenario("donors_noise", "Donors alone, two classes", role, rare, _BIT, _BIT, **_differ(2.0, 2.0)),
        Scenario(
            "donors_noise_five",
            "Donors alone, five classes",
            role,
            _noise(3, *[0.2] * 5),
            _THREE,
            _THREE,
            **_differ(1.0, 0.8, n_donors=10),
        ),
        Scenario("donors_redundant", "Shared symbol, five classes", role, redundant, _FIVE, _FIVE, **_differ(1.0, 0.4)),
        Scenario("donors_unique", "Bit of the first, strong donors", role, unique, _BIT, _BIT, **_differ(2.0, 1.0)),
        Scenario("donors_copy", "A bit from each (copy)", role, copy, _BIT, _BIT, **_differ(0.5, 0.5)),
        Scenario("donors_and", "AND, noisy label", role, conjunction, _BIT, _BIT, **_differ(1.0, 0.3)),
        Scenario(
            "donors_sum", "Sum of two symbols", role, total, _THREE, _THREE, **_differ(0.7, 0.2, group_effect=0.5)
        ),
        Scenario("donors_views", "Unequal views", role, noisy_views(2, (0.1, 0.2)), _BIT, _BIT, **_differ(1.0, 1.0)),
        Scenario("donors_xor", "XOR, noisy label", role, xor, _BIT, _BIT, **_differ(1.0, 0.5)),
        Scenario(
            "donors_redundant_xor",
            "Shared bit and XOR",
            role,
            shared_xor,
            _TWO_BITS,
            _TWO_BITS,
            **_differ(0.5, 0.3, **MILD),
        ),
        Scenario(
            "donors_views_xor",
            "Two noisy views and XOR",
            role,
            views_xor,
            _TWO_BITS,
            _TWO_BITS,
            **_differ(0.3, 0.1, 8, **MILD),
        ),
        mixture(
            0.3, 0.2, 0.2, 0.3, name="donors_mixture", title="Even mixture", role=role, error=0.03, **_differ(0.5, 0.4)
        ),
        mixture(
            0.6,
            0.25,
            0.0,
            0.15,
            name="donors_mixture_redundant",
            title="Mostly redundant",
            role=role,
            **_differ(1.5, 0.2),
        ),
        Scenario("donors_curve", "Logistic in two curves", role, curve, _CURVE, _CURVE, **_differ(0.8, 0.6)),
        Scenario(
            "donors_many", "Views of three classes, 12 donors", role, views, _THREE, _THREE, **_differ(1.0, 0.8, 12)
        ),
        Scenario(
            "donors_three",
            "OR, three donors",
            role,
            with_label_noise(gate("or"), 0.03),
            _BIT,
            _BIT,
            **_differ(0.7, 0.3, 3),
        ),
        Scenario(
            "donors_patches",
            "Bit of the second, in patches",
            role,
            with_label_noise(gate("unique2"), 0.2),
            _BIT,
            _BIT,
            **_differ(1.0, 0.7, spatial_range=200, group_effect=0.5),
        ),
    )


def donors_scenarios() -> tuple[Scenario, ...]:
    """Return the scenarios whose donors differ, those for tuning first."""
    return (*_tuning(), *_held_out())
