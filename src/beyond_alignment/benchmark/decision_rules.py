"""Decision rules: from what is known of a task and its number of pairs to what to use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.benchmark.decision_table import ACTIONS, DecisionTable
from beyond_alignment.errors import InputError
from beyond_alignment.information.advice import FEW_PAIRS, HIGH_SIS, MANY_PAIRS, MATERIAL

Feature = Literal["sis", "interaction"]
UNIMODAL, CONCAT, SIMPLE, ATTENTION = range(len(ACTIONS))
MOST_CUTS = 12
"""Cuts tried of each threshold, evenly chosen where the data allow more."""

Choice = Callable[[DecisionTable, DecisionTable], NDArray[np.float64]]
"""A rule: from the tasks it may learn from and those it is judged on, to the scores that it gets on these (point,)."""


@dataclass(frozen=True)
class Thresholds:
    """A rule of the published form.

    Attributes
    ----------
    feature
        What is compared with `high`: ``sis`` or ``interaction``.
    high
        From here on a fusion can pay.
    few
        Below so many pairs: unimodal still.
    many
        Above so many pairs: attention; up to them a simple interaction.
    """

    feature: Feature
    high: float
    few: float
    many: float

    def actions(self, table: DecisionTable) -> NDArray[np.intp]:
        """Return the place in `ACTIONS` of what the rule advises at each point (point,)."""
        fused = np.where(table.n > self.many, ATTENTION, SIMPLE)
        pays = (table.feature(self.feature) >= self.high) & (table.n >= self.few)
        return np.where(pays, fused, UNIMODAL)

    def scores(self, table: DecisionTable) -> NDArray[np.float64]:
        """Return the scores that the rule gets (point,)."""
        return table.actions[np.arange(len(table.n)), self.actions(table)]


PUBLISHED = Thresholds("sis", HIGH_SIS, FEW_PAIRS, MANY_PAIRS)
PUBLISHED_LOWER = Thresholds("sis", MATERIAL, FEW_PAIRS, MANY_PAIRS)
"""The published rule with the other reading of a high score, which it leaves open: where its table first fuses."""


def fit_thresholds(table: DecisionTable, *, feature: Feature = "sis") -> Thresholds:
    """Return the thresholds that lose the least score over some tasks, each task counting the same.

    Cuts lie halfway between the values that occur, in log n for sizes, and beyond them. Of equally good thresholds the
    most cautious are taken: the highest ones, which fuse the least.

    Parameters
    ----------
    table
        Tasks to learn from.
    feature
        What is compared with a threshold.

    Raises
    ------
    InputError
        A task has no value of the feature.
    """
    values = table.sis if feature == "sis" else table.interaction
    if not np.isfinite(values).all():
        gone = ", ".join(name for name, value in zip(table.tasks, values, strict=True) if not np.isfinite(value))
        raise InputError(f"No {feature} of {gone}; give it, or fit the rule on the other score.")
    sizes = np.concatenate([[0.0], np.exp(_cuts(np.log(table.n))[1:])])  # 0, for the logarithm rounds the least
    best, chosen = -np.inf, PUBLISHED
    for high in _cuts(values)[::-1]:
        for few in sizes[::-1]:
            for many in sizes[::-1]:
                if many < few:
                    continue
                rule = Thresholds(feature, float(high), float(few), float(many))
                score = float(table.of(rule.scores(table)).mean())
                if score > best + 1e-12:
                    best, chosen = score, rule
    return chosen


def _cuts(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values between those that occur, and one beyond either end."""
    unique = np.unique(values)
    middle = (unique[1:] + unique[:-1]) / 2
    if len(middle) > MOST_CUTS:
        middle = middle[np.unique(np.linspace(0, len(middle) - 1, MOST_CUTS).round().astype(int))]
    return np.concatenate([[unique[0]], middle, [np.inf]])


def published(learn: DecisionTable, judge: DecisionTable) -> NDArray[np.float64]:
    """Follow the published rule."""
    return PUBLISHED.scores(judge)


def published_lower(learn: DecisionTable, judge: DecisionTable) -> NDArray[np.float64]:
    """Follow the published rule with a high score from 0.10 on."""
    return PUBLISHED_LOWER.scores(judge)


def always_unimodal(learn: DecisionTable, judge: DecisionTable) -> NDArray[np.float64]:
    """Use the better unimodal path of each point."""
    return judge.actions[:, UNIMODAL]


def always_concat(learn: DecisionTable, judge: DecisionTable) -> NDArray[np.float64]:
    """Concatenate everywhere."""
    return judge.actions[:, CONCAT]


def best_of(methods: Sequence[str]) -> Choice:
    """Return the rule that uses everywhere the best of some methods, which one it is taken as known at each point.

    Parameters
    ----------
    methods
        Names of methods of the table.

    Raises
    ------
    InputError
        None is named, or the table that the rule judges has no scores of one.
    """

    def rule(learn: DecisionTable, judge: DecisionTable) -> NDArray[np.float64]:
        absent = [name for name in methods if name not in judge.methods]
        if absent or not methods:
            raise InputError(
                f"No scores of {', '.join(absent) or 'any method'} to choose among; name some of "
                f"{', '.join(judge.methods)}."
            )
        return judge.scores[:, [judge.methods.index(name) for name in methods]].max(axis=1)

    return rule


def best_on_average(learn: DecisionTable, judge: DecisionTable) -> NDArray[np.float64]:
    """Use everywhere the method that is best on average over the other tasks."""
    means = np.stack([learn.of(column) for column in learn.scores.T], axis=1).mean(axis=0)
    return judge.scores[:, int(means.argmax())]


def fitted_on_sis(learn: DecisionTable, judge: DecisionTable) -> NDArray[np.float64]:
    """Use thresholds on SIS and size that the other tasks choose."""
    return fit_thresholds(learn).scores(judge)


def fitted_on_interaction(learn: DecisionTable, judge: DecisionTable) -> NDArray[np.float64]:
    """Use thresholds on the interaction part and size that the other tasks choose."""
    return fit_thresholds(learn, feature="interaction").scores(judge)


RULES: dict[str, Choice] = {
    "published rule": published,
    f"published rule, high from {MATERIAL:.2f}": published_lower,
    "always unimodal": always_unimodal,
    "always concatenate": always_concat,
    "best on average": best_on_average,
    "fitted on SIS": fitted_on_sis,
    "fitted on interaction": fitted_on_interaction,
}
"""Rules by name; what is learned is learned from other tasks."""
