"""Scenarios that no estimator was tuned on."""

from beyond_alignment.information.known_truth.scenario import Scenario


def held_out_scenarios() -> tuple[Scenario, ...]:
    """Return the scenarios on which estimators are judged."""
    return ()
