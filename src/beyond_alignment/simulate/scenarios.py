"""The scenarios by name: those on which estimators may be tuned, and those on which they are judged."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import PID
from beyond_alignment.information.gates import gate
from beyond_alignment.simulate.scenario import MILD, Role, Scenario, Symbol, decompose, mixture, symbols
from beyond_alignment.simulate.tables import (
    N_CELLS,
    additive_law,
    continuous_table,
    interaction_law,
    noisy_views,
    side_by_side,
    symbol_table,
    wave_law,
    with_label_noise,
    with_prior,
)

_BIT, _TWO_BITS, _THREE, _FOUR, _FIVE = symbols(2), symbols(2, 2), symbols(3), symbols(4), symbols(5)
_CURVE = (Symbol(N_CELLS, continuous=True),)


def _scenario(
    role: Role,
    name: str,
    title: str,
    p: NDArray[np.float64],
    first: tuple[Symbol, ...],
    second: tuple[Symbol, ...] | None = None,
    **observed: Any,
) -> Scenario:
    """Make a scenario whose second source holds the same kinds of symbols as the first, unless it says others."""
    return Scenario(name, title, role, p, first, second or first, **observed)


def _mixture(role: Role, name: str, title: str, *shares: float, **observed: Any) -> Scenario:
    """Make a mixture of shared, unique and synergistic trials."""
    return mixture(*shares, name=name, title=title, role=role, **observed)


_tuning, _held_out = partial(_scenario, "tuning"), partial(_scenario, "held_out")
_tuning_mixture, _held_out_mixture = partial(_mixture, "tuning"), partial(_mixture, "held_out")


def _donors(batch_effect: float, share_spread: float, n_donors: int = 6, **observed: Any) -> dict[str, Any]:
    """Fields of a scenario whose donors differ."""
    differ = {"batch_effect": batch_effect, "share_spread": share_spread, "n_donors": n_donors}
    return {"family": "donors", "group_effect": 0.0, "d1": 64, "d2": 64, **differ, **observed}


def _shared(n_values: int) -> NDArray[np.float64]:
    """Label that both sources hold."""
    return symbol_table({"s": n_values}, ("s",), ("s",), lambda s: s)


def _of_two(n1: int, n2: int, rule: Any) -> NDArray[np.float64]:
    """Label by a rule of a symbol of the first source and one of the second."""
    return symbol_table({"a": n1, "b": n2}, ("a",), ("b",), rule)


def _of_shared_and_own(rule: Any) -> NDArray[np.float64]:
    """Label by a rule of a shared bit and a bit of each source."""
    return symbol_table({"s": 2, "a": 2, "b": 2}, ("s", "a"), ("s", "b"), rule)


def _unrelated(n_states: int, *prior: float) -> NDArray[np.float64]:
    """Two independent sources and a label that is unrelated to both."""
    return np.full((n_states, n_states, 1), 1 / n_states**2) * prior


def _for_tuning() -> tuple[Scenario, ...]:
    """Scenarios for tuning, from no synergy to nothing but synergy."""
    unique = with_label_noise(_of_two(3, 3, lambda a, b: a), 0.05)
    return (
        _tuning("tuning_null", "Label unrelated to both", _unrelated(2, 0.5, 0.5), _BIT),
        _tuning("tuning_redundant", "Shared bit, noisy label", with_label_noise(gate("redundant"), 0.1), _BIT),
        _tuning("tuning_unique", "A symbol of the first alone, three classes", unique, _THREE),
        _tuning("tuning_copy", "A bit from each (copy)", gate("copy"), _BIT),
        _tuning("tuning_and", "AND", gate("and"), _BIT),
        _tuning("tuning_xor", "XOR", gate("xor"), _BIT),
        _tuning("tuning_xor_noisy", "XOR, noisy label", with_label_noise(gate("xor"), 0.05), _BIT),
        _tuning("tuning_views", "Two noisy views", noisy_views(2, (0.1, 0.1)), _BIT),
        _tuning_mixture("tuning_mixture", "Mixture of rules", 0.4, 0.2, 0.1, 0.3),
        _tuning_mixture("tuning_mixture_told", "Mixture, rule in label", 0.5, 0.0, 0.2, 0.3, rule_in_label=True),
        _tuning(
            "tuning_additive_curve",
            "Logistic in two continuous quantities",
            continuous_table(additive_law(8, 8)),
            _CURVE,
        ),
        _tuning(
            "tuning_interaction_curve",
            "Same side of two continuous quantities",
            continuous_table(interaction_law(0.1)),
            _CURVE,
        ),
    )


def _without_synergy() -> tuple[Scenario, ...]:
    """Scenarios with S = 0."""
    imbalanced = with_prior(with_label_noise(gate("redundant"), 0.05), [0.8, 0.2])
    either = symbol_table({"a": 2, "b": 2}, ("a", "b"), ("b",), lambda a, b: a | b)
    both = _of_shared_and_own(lambda s, a, b: 2 * s + a)
    uneven = {**MILD, "group_effect": 0.0, "donor_tilt": 0.6}
    second = with_label_noise(gate("unique2"), 0.15)
    five = with_label_noise(_shared(5), 0.15)
    return (
        _held_out("null_imbalanced", "Unrelated label, three classes", _unrelated(3, 0.5, 0.3, 0.2), _THREE),
        _held_out("redundant_imbalanced", "Shared bit, rare class", imbalanced, _BIT),
        _held_out("redundant_five", "Shared symbol, five classes", five, _FIVE, group_effect=1.0),
        _held_out("unique_spatial", "Bit of the second, in patches", second, _BIT, spatial_range=200),
        _held_out("copy_six", "A bit and a three-valued symbol", _of_two(2, 3, lambda a, b: 3 * a + b), _BIT, _THREE),
        _held_out("redundant_unique_or", "OR of two bits of the first", either, _TWO_BITS, _BIT, **MILD),
        _held_out("redundant_unique_tilted", "Shared and private bit, uneven donors", both, _TWO_BITS, **uneven),
    )


def _additive() -> tuple[Scenario, ...]:
    """Scenarios whose synergy an additive model reaches."""
    total = _of_two(3, 3, lambda a, b: a + b)
    return (
        _held_out("or_balanced", "OR, classes made even", with_prior(gate("or"), [0.5, 0.5]), _BIT),
        _held_out("sum_bits", "Sum of two bits (XOR and AND)", gate("sum"), _BIT),
        _held_out("sum_donors", "Sum of two symbols, strong donors", total, _THREE, group_effect=1.0),
        _held_out("views_unequal", "Two unequal views", noisy_views(2, (0.05, 0.25)), _BIT),
        _held_out("views_three", "Two views of three classes", noisy_views(3, (0.3, 0.3)), _THREE),
        _held_out("additive_curve", "Logistic in two curves, unequal", continuous_table(additive_law(10, 5)), _CURVE),
    )


def _interacting() -> tuple[Scenario, ...]:
    """Scenarios whose synergy is an interaction."""
    rare = with_prior(with_label_noise(gate("xor"), 0.04), [0.75, 0.25])
    modulo = with_label_noise(_of_two(3, 3, lambda a, b: (a + b) % 3), 0.06)
    patches = with_label_noise(gate("xor"), 0.02)
    return (
        _held_out("xor_rare", "XOR, rare class", rare, _BIT),
        _held_out("xor_noisier", "XOR, noisy label", with_label_noise(gate("xor"), 0.12), _BIT),
        _held_out("xor_spatial", "XOR in patches", patches, _BIT, spatial_range=120),
        _held_out("add_modulo_three", "Sum modulo three", modulo, _THREE),
        _held_out("wave_curve", "Cosine of a difference", continuous_table(wave_law(5)), _CURVE),
    )


def _mixed() -> tuple[Scenario, ...]:
    """Scenarios with redundancy or unique information beside synergy of one part or both."""
    shared_xor = _of_shared_and_own(lambda s, a, b: 2 * s + (a ^ b))
    xor_views = side_by_side(gate("xor"), noisy_views(2, (0.15, 0.15)))
    corner = continuous_table(interaction_law(0.05, centre1=0.375, centre2=0.6875))
    return (
        _held_out("redundant_xor", "Shared bit and XOR", shared_xor, _TWO_BITS, **MILD),
        _held_out("xor_views", "XOR and two noisy views", xor_views, _TWO_BITS, **MILD),
        _held_out("corner_curve", "Same side, off centre", corner, _CURVE),
        _held_out_mixture("mixture_redundant", "Mostly redundant", 0.75, 0.1, 0.0, 0.15),
        _held_out_mixture("mixture_unique", "Mostly unique", 0.1, 0.45, 0.3, 0.15, group_effect=1.5),
        _held_out_mixture("mixture_even", "Even mixture, some coins", 0.2, 0.2, 0.2, 0.3, error=0.03),
        _held_out_mixture("mixture_synergy", "Mostly synergy", 0.25, 0.0, 0.15, 0.6),
        _held_out_mixture("mixture_told", "Mixture, rule in label", 0.3, 0.3, 0.0, 0.4, rule_in_label=True, error=0.05),
    )


def _donors_for_tuning() -> tuple[Scenario, ...]:
    """Scenarios for tuning whose donors differ."""
    unique = with_label_noise(_of_two(3, 3, lambda a, b: b), 0.05)
    curve = continuous_table(additive_law(6, 8))
    return (
        _tuning("tuning_donors_noise", "Donors alone", _unrelated(3, 0.6, 0.4), _THREE, **_donors(1.5, 1.0)),
        _tuning(
            "tuning_donors_redundant",
            "Shared symbol, donors differ",
            with_label_noise(_shared(4), 0.1),
            _FOUR,
            **_donors(0.4, 0.15),
        ),
        _tuning("tuning_donors_unique", "Symbol of the second, donors differ", unique, _THREE, **_donors(1.0, 0.6)),
        _tuning(
            "tuning_donors_views", "Two views, donors differ", noisy_views(2, (0.15, 0.15)), _BIT, **_donors(1.5, 0.5)
        ),
        _tuning(
            "tuning_donors_xor",
            "XOR, donors differ",
            with_label_noise(gate("xor"), 0.06),
            _BIT,
            **_donors(0.7, 0.3, 8),
        ),
        _tuning_mixture("tuning_donors_mixture", "Mixture, donors differ", 0.35, 0.25, 0.1, 0.3, **_donors(1.0, 0.3)),
        _tuning("tuning_donors_curve", "Logistic in two curves, donors differ", curve, _CURVE, **_donors(0.3, 0.8, 4)),
    )


def _donors_held_out() -> tuple[Scenario, ...]:
    """Scenarios to be judged on whose donors differ."""
    even_five = _unrelated(3, *[0.2] * 5)
    redundant = with_label_noise(_shared(5), 0.1)
    total = _of_two(3, 3, lambda a, b: a + b)
    shared_xor = _of_shared_and_own(lambda s, a, b: 2 * s + (a ^ b))
    views_xor = side_by_side(noisy_views(2, (0.1, 0.2)), gate("xor"))
    curve = continuous_table(additive_law(9, 6))
    patches = _donors(1.0, 0.7, spatial_range=200, group_effect=0.5)
    noisy = {
        name: with_label_noise(gate(name), error)
        for name, error in (
            ("unique1", 0.1),
            ("unique2", 0.2),
            ("copy", 0.05),
            ("and", 0.05),
            ("xor", 0.08),
            ("or", 0.03),
        )
    }
    return (
        _held_out("donors_noise", "Donors alone, two classes", _unrelated(2, 0.7, 0.3), _BIT, **_donors(2.0, 2.0)),
        _held_out("donors_noise_five", "Donors alone, five classes", even_five, _THREE, **_donors(1.0, 0.8, 10)),
        _held_out("donors_redundant", "Shared symbol, five classes", redundant, _FIVE, **_donors(1.0, 0.4)),
        _held_out("donors_unique", "Bit of the first, strong donors", noisy["unique1"], _BIT, **_donors(2.0, 1.0)),
        _held_out("donors_copy", "A bit from each (copy)", noisy["copy"], _BIT, **_donors(0.5, 0.5)),
        _held_out("donors_and", "AND, noisy label", noisy["and"], _BIT, **_donors(1.0, 0.3)),
        _held_out("donors_sum", "Sum of two symbols", total, _THREE, **_donors(0.7, 0.2, group_effect=0.5)),
        _held_out("donors_views", "Unequal views", noisy_views(2, (0.1, 0.2)), _BIT, **_donors(1.0, 1.0)),
        _held_out("donors_xor", "XOR, noisy label", noisy["xor"], _BIT, **_donors(1.0, 0.5)),
        _held_out("donors_redundant_xor", "Shared bit and XOR", shared_xor, _TWO_BITS, **_donors(0.5, 0.3, **MILD)),
        _held_out("donors_views_xor", "Two views and XOR", views_xor, _TWO_BITS, **_donors(0.3, 0.1, 8, **MILD)),
        _held_out_mixture("donors_mixture", "Even mixture", 0.3, 0.2, 0.2, 0.3, error=0.03, **_donors(0.5, 0.4)),
        _held_out_mixture("donors_mixture_redundant", "Mostly redundant", 0.6, 0.25, 0.0, 0.15, **_donors(1.5, 0.2)),
        _held_out("donors_curve", "Logistic in two curves", curve, _CURVE, **_donors(0.8, 0.6)),
        _held_out(
            "donors_many",
            "Views of three classes, 12 donors",
            noisy_views(3, (0.2, 0.3)),
            _THREE,
            **_donors(1.0, 0.8, 12),
        ),
        _held_out("donors_three", "OR, three donors", noisy["or"], _BIT, **_donors(0.7, 0.3, 3)),
        _held_out("donors_patches", "Bit of the second, in patches", noisy["unique2"], _BIT, **patches),
    )


_GROUPS = (
    _for_tuning(),
    _without_synergy(),
    _additive(),
    _interacting(),
    _mixed(),
    _donors_for_tuning(),
    _donors_held_out(),
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType({s.name: s for group in _GROUPS for s in group})
"""Name -> scenario; the common family, then donors that differ, those for tuning first in either."""


def find(name: str) -> Scenario:
    """Return the scenario of that name; InputError where there is none."""
    if name not in SCENARIOS:
        raise InputError(f"There is no scenario {name!r}; choose one of {', '.join(SCENARIOS)}.")
    return SCENARIOS[name]


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
