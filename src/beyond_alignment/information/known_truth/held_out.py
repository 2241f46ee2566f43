"""Scenarios on which estimators are judged, none of them used to tune."""

import numpy as np

from beyond_alignment.information.gates import deterministic_gate, gate
from beyond_alignment.information.known_truth.continuous import (
    N_CELLS,
    additive_law,
    continuous_table,
    interaction_law,
    wave_law,
)
from beyond_alignment.information.known_truth.mixture import mixture
from beyond_alignment.information.known_truth.scenario import MILD, Scenario, Symbol, symbols
from beyond_alignment.information.known_truth.tables import (
    noisy_views,
    side_by_side,
    symbol_table,
    with_label_noise,
    with_prior,
)

_BIT, _TWO_BITS, _THREE = symbols(2), symbols(2, 2), symbols(3)
_CURVE = (Symbol(N_CELLS, continuous=True),)
_PRIVATE = {"a": 2, "b": 2}
_SHARED = {"s": 2, **_PRIVATE}


def _without_synergy() -> tuple[Scenario, ...]:
    """Scenarios with S = 0."""
    null = np.full((3, 3, 1), 1 / 9) * [0.5, 0.3, 0.2]
    imbalanced = with_prior(with_label_noise(gate("redundant"), 0.05), [0.8, 0.2])
    five = with_label_noise(symbol_table({"s": 5}, ("s",), ("s",), lambda s: s), 0.15)
    second = with_label_noise(gate("unique2"), 0.15)
    copy = symbol_table({"a": 2, "b": 3}, ("a",), ("b",), lambda a, b: 3 * a + b)
    either = symbol_table(_PRIVATE, ("a", "b"), ("b",), lambda a, b: a | b)
    both = symbol_table(_SHARED, ("s", "a"), ("s", "b"), lambda s, a, b: 2 * s + a)
    return (
        Scenario("null_imbalanced", "Unrelated label, three classes", "held_out", null, _THREE, _THREE),
        Scenario("redundant_imbalanced", "Shared bit, rare class", "held_out", imbalanced, _BIT, _BIT),
        Scenario(
            "redundant_five", "Shared symbol, five classes", "held_out", five, symbols(5), symbols(5), group_effect=1.0
        ),
        Scenario("unique_spatial", "Bit of the second, in patches", "held_out", second, _BIT, _BIT, spatial_range=200),
        Scenario("copy_six", "A bit and a three-valued symbol", "held_out", copy, _BIT, _THREE),
        Scenario("redundant_unique_or", "OR of two bits of the first", "held_out", either, _TWO_BITS, _BIT, **MILD),
        Scenario(
            "redundant_unique_tilted",
            "Shared and private bit, uneven donors",
            "held_out",
            both,
            _TWO_BITS,
            _TWO_BITS,
            **MILD,
            group_effect=0.0,
            donor_tilt=0.6,
        ),
    )


def _additive() -> tuple[Scenario, ...]:
    """Scenarios whose synergy an additive model reaches."""
    one_of = with_prior(deterministic_gate(np.full((2, 2), 0.25), lambda i, j: i | j, 2), [0.5, 0.5])
    total = symbol_table({"a": 3, "b": 3}, ("a",), ("b",), lambda a, b: a + b)
    return (
        Scenario("or_balanced", "OR, classes made even", "held_out", one_of, _BIT, _BIT),
        Scenario("sum_bits", "Sum of two bits (XOR and AND)", "held_out", gate("sum"), _BIT, _BIT),
        Scenario(
            "sum_donors", "Sum of two symbols, strong donors", "held_out", total, _THREE, _THREE, group_effect=1.0
        ),
        Scenario("views_unequal", "Two unequal views", "held_out", noisy_views(2, (0.05, 0.25)), _BIT, _BIT),
        Scenario("views_three", "Two views of three classes", "held_out", noisy_views(3, (0.3, 0.3)), _THREE, _THREE),
        Scenario(
            "additive_curve",
            "Logistic in two curves, unequal",
            "held_out",
            continuous_table(additive_law(10, 5)),
            _CURVE,
            _CURVE,
        ),
    )


def _interacting() -> tuple[Scenario, ...]:
    """Scenarios whose synergy is an interaction."""
    rare = with_prior(with_label_noise(gate("xor"), 0.04), [0.75, 0.25])
    modulo = symbol_table({"a": 3, "b": 3}, ("a",), ("b",), lambda a, b: (a + b) % 3)
    return (
        Scenario("xor_rare", "XOR, rare class", "held_out", rare, _BIT, _BIT),
        Scenario("xor_noisier", "XOR, noisy label", "held_out", with_label_noise(gate("xor"), 0.12), _BIT, _BIT),
        Scenario(
            "xor_spatial",
            "XOR in patches",
            "held_out",
            with_label_noise(gate("xor"), 0.02),
            _BIT,
            _BIT,
            spatial_range=120,
        ),
        Scenario("add_modulo_three", "Sum modulo three", "held_out", with_label_noise(modulo, 0.06), _THREE, _THREE),
        Scenario("wave_curve", "Cosine of a difference", "held_out", continuous_table(wave_law(5)), _CURVE, _CURVE),
    )


def _mixed() -> tuple[Scenario, ...]:
    """Scenarios with redundancy or unique information beside synergy of one part or both."""
    shared_xor = symbol_table(_SHARED, ("s", "a"), ("s", "b"), lambda s, a, b: 2 * s + (a ^ b))
    xor_views = side_by_side(gate("xor"), noisy_views(2, (0.15, 0.15)))
    corner = continuous_table(interaction_law(0.05, centre1=0.375, centre2=0.6875))
    return (
        Scenario("redundant_xor", "Shared bit and XOR", "held_out", shared_xor, _TWO_BITS, _TWO_BITS, **MILD),
        Scenario("xor_views", "XOR and two noisy views", "held_out", xor_views, _TWO_BITS, _TWO_BITS, **MILD),
        Scenario("corner_curve", "Same side, off centre", "held_out", corner, _CURVE, _CURVE),
        mixture(0.75, 0.1, 0.0, 0.15, name="mixture_redundant", title="Mostly redundant", role="held_out"),
        mixture(0.1, 0.45, 0.3, 0.15, name="mixture_unique", title="Mostly unique", role="held_out", group_effect=1.5),
        mixture(0.2, 0.2, 0.2, 0.3, name="mixture_even", title="Even mixture, some coins", role="held_out", error=0.03),
        mixture(0.25, 0.0, 0.15, 0.6, name="mixture_synergy", title="Mostly synergy", role="held_out"),
        mixture(
            0.3,
            0.3,
            0.0,
            0.4,
            name="mixture_told",
            title="Mixture, rule in label",
            role="held_out",
            rule_in_label=True,
            error=0.05,
        ),
    )


def held_out_scenarios() -> tuple[Scenario, ...]:
    """Return the scenarios on which estimators are judged."""
    return (*_without_synergy(), *_additive(), *_interacting(), *_mixed())
