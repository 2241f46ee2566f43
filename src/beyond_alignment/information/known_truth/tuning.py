"""Scenarios on which estimators may be tuned."""

import numpy as np

from beyond_alignment.information.gates import gate
from beyond_alignment.information.known_truth.continuous import N_CELLS, additive_law, continuous_table, interaction_law
from beyond_alignment.information.known_truth.mixture import mixture
from beyond_alignment.information.known_truth.scenario import Scenario, Symbol, symbols
from beyond_alignment.information.known_truth.tables import noisy_views, symbol_table, with_label_noise

_BIT = symbols(2)
_CURVE = (Symbol(N_CELLS, continuous=True),)


def tuning_scenarios() -> tuple[Scenario, ...]:
    """Return the scenarios for tuning, from no synergy to nothing but synergy."""
    return (
        Scenario("tuning_null", "Label unrelated to both", "tuning", np.full((2, 2, 2), 1 / 8), _BIT, _BIT),
        Scenario(
            "tuning_redundant",
            "Shared bit, noisy label",
            "tuning",
            with_label_noise(gate("redundant"), 0.1),
            _BIT,
            _BIT,
        ),
        Scenario(
            "tuning_unique",
            "A symbol of the first alone, three classes",
            "tuning",
            with_label_noise(symbol_table({"a": 3, "b": 3}, ("a",), ("b",), lambda a, b: a), 0.05),
            symbols(3),
            symbols(3),
        ),
        Scenario("tuning_copy", "A bit from each (copy)", "tuning", gate("copy"), _BIT, _BIT),
        Scenario("tuning_and", "AND", "tuning", gate("and"), _BIT, _BIT),
        Scenario("tuning_xor", "XOR", "tuning", gate("xor"), _BIT, _BIT),
        Scenario("tuning_xor_noisy", "XOR, noisy label", "tuning", with_label_noise(gate("xor"), 0.05), _BIT, _BIT),
        Scenario("tuning_views", "Two noisy views", "tuning", noisy_views(2, (0.1, 0.1)), _BIT, _BIT),
        mixture(
            0.4, 0.2, 0.1, 0.3, name="tuning_mixture", title="Mixture of rules", role="tuning", rule_in_label=False
        ),
        mixture(
            0.5,
            0.0,
            0.2,
            0.3,
            name="tuning_mixture_told",
            title="Mixture, rule in label",
            role="tuning",
            rule_in_label=True,
        ),
        Scenario(
            "tuning_additive_curve",
            "Logistic in two continuous quantities",
            "tuning",
            continuous_table(additive_law(8, 8)),
            _CURVE,
            _CURVE,
        ),
        Scenario(
            "tuning_interaction_curve",
            "Same side of two continuous quantities",
            "tuning",
            continuous_table(interaction_law(0.1)),
            _CURVE,
            _CURVE,
        ),
    )
