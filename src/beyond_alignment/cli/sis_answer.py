"""What was found when a decomposition was asked for, as one record with a stable schema."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from beyond_alignment import __version__
from beyond_alignment.information.advice import Recommendation, Strategy, recommend
from beyond_alignment.information.estimate import TERMS, PIDEstimate

SCHEMA = "beyond-alignment/sis"
SCHEMA_VERSION = 1

TERM_WORDS = {
    "redundancy": "redundancy: either one tells it",
    "unique1": "unique: only {first} tells it",
    "unique2": "unique: only {second} tells it",
    "synergy": "synergy: only both together tell it",
    "synergy_additive": "additive part: adding up reaches it",
    "synergy_interaction": "interaction part: adding up misses it",
    "sis": "SIS: share of synergy in the whole",
    "sis_interaction": "share of its interaction part",
    "I1": "{first} alone",
    "I2": "{second} alone",
    "I12": "both together",
}
"""What each term is, for readers."""

ORIGINS = {
    "expression": "the label was computed from gene expression, which favours the expression source",
    "morphology": "the label was drawn or computed from the image, which favours the image source",
    "neighbours": "the label was computed from the neighbours of the spot, not from the spot itself",
    "independent": "the label comes from neither source",
    "simulated": "the label is simulated",
}
"""What the origin of a label means for the answer."""


@dataclass(frozen=True)
class SisAnswer:
    """A decomposition of one's own data with all that a reader needs beside it.

    Attributes
    ----------
    inputs
        What was asked: file, first, second, label, groups, blocks, block_um, by name.
    settings
        method, folds, bootstrap and seed, by name.
    estimate
        The decomposition.
    strategy
        What to try.
    warnings
        Of the data and of the estimator.
    target_note
        How the label was made into classes.
    made_from
        What the label was made from, where that is known; else empty.
    counts
        Samples of each class.
    dimensions
        Features of both sources.
    """

    inputs: Mapping[str, Any]
    settings: Mapping[str, Any]
    estimate: PIDEstimate
    strategy: Strategy
    warnings: tuple[str, ...]
    target_note: str
    made_from: str
    counts: Mapping[str, int]
    dimensions: tuple[int, int]

    @property
    def origin(self) -> str:
        """One sentence on what the label was made from."""
        if not self.made_from:
            return ""
        return f"Made from {self.made_from}: {ORIGINS.get(self.made_from, 'as the file says')}."

    @property
    def rule(self) -> Recommendation | None:
        """The published rule by score and number of pairs, for this many samples; None without information."""
        if self.strategy.recommended == "none":
            return None
        sis, (low, high) = self.estimate.pid.sis, self.estimate.intervals["sis"]
        known = math.isfinite(low) and math.isfinite(high)
        interval = (min(low, sis), max(high, sis)) if known else None
        return recommend(sis, interval, self.estimate.n, interaction_share=self.estimate.pid.sis_interaction)

    def words(self, term: str) -> str:
        """Say what a term is, with the names of the sources."""
        return TERM_WORDS[term].format(first=self.inputs["first"], second=self.inputs["second"])

    def record(self) -> dict[str, Any]:
        """Return the record that is written as JSON; what is not estimated is None."""
        estimate, pid, rule = self.estimate, self.estimate.pid, self.rule
        terms = {}
        for term in TERMS:
            low, high = estimate.intervals[term]
            terms[term] = {"value": _number(getattr(pid, term)), "low": _number(low), "high": _number(high)}
        return {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "package_version": __version__,
            "inputs": dict(self.inputs),
            "settings": {**self.settings, "level": estimate.level, "replicates": estimate.n_bootstrap},
            "n": estimate.n,
            "n_groups": estimate.n_groups,
            "dimensions": list(self.dimensions),
            "target": {"note": self.target_note, "made_from": self.made_from or None, "classes": dict(self.counts)},
            "unit": "bits; sis and sis_interaction are shares",
            "terms": terms,
            "gap": _number(pid.gap),
            "p_synergy": _number(estimate.p_synergy),
            "p_interaction": _number(estimate.p_interaction),
            "recommendation": {
                "strategy": self.strategy.recommended,
                "table_rows": [row.name for row in self.strategy.rows],
                "reason": self.strategy.reason,
                "by_pairs": None if rule is None else rule.record(),
            },
            "warnings": list(self.warnings),
        }

    def json(self) -> str:
        """Return the record as JSON text."""
        return json.dumps(self.record(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _number(value: float) -> float | None:
    """Return a plain number, or None where there is none."""
    return float(value) if math.isfinite(value) else None
