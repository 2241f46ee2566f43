"""What was found when a decomposition was asked for, as one record with a stable schema and as rows for a reader."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from beyond_alignment import __version__
from beyond_alignment.information.advice import Recommendation, Strategy, recommend
from beyond_alignment.information.estimate import TERMS, PIDEstimate

SCHEMA = "beyond-alignment/sis"
SCHEMA_VERSION = 2

TERM_WORDS = {
    "redundancy": "redundancy: either one tells it",
    "unique1": "unique: only {first} tells it",
    "unique2": "unique: only {second} tells it",
    "synergy": "synergy: only both together tell it",
    "synergy_additive": "additive part: adding up reaches it",
    "synergy_interaction": "interaction part: adding up misses it",
    "sis": "SIS: share of synergy in the whole",
    "sis_interaction": "share of its interaction part",
    "I1": "{first} alone, as measured",
    "I2": "{second} alone, as measured",
    "I12": "both together, as measured",
    "synergy_raw": "synergy, as measured",
}
"""What each term is, for readers."""
SCORES = ("sis", "sis_interaction")
INDENTED = ("synergy_additive", "synergy_interaction", "sis_interaction")

ORIGINS = {
    "expression": "the label was computed from gene expression, which favours the expression source",
    "morphology": "the label was drawn or computed from the image, which favours the image source",
    "neighbours": "the label was computed from the neighbours of the spot, not from the spot itself",
    "independent": "the label comes from neither source",
    "simulated": "the label is simulated",
}
"""What the origin of a label means for the answer."""


@dataclass(frozen=True)
class TermRow:
    """One term as a reader meets it; every cell is text."""

    term: str
    words: str
    value: str
    interval: str
    over_groups: str
    null: str
    p: str


@dataclass(frozen=True)
class SisAnswer:
    """A decomposition of one's own data with all that a reader needs beside it.

    `inputs` and `settings` are what was asked, by name; `target_note` says how the label was made into classes,
    `made_from` what it was made from (empty where unknown), `counts` are the samples of each class, `dimensions` the
    features of both sources. `power` is the table of planted synergy, where it was asked for.
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
    power: pd.DataFrame | None

    @property
    def origin(self) -> str:
        """One sentence on what the label was made from."""
        if not self.made_from:
            return ""
        return f"Made from {self.made_from}: {ORIGINS.get(self.made_from, 'as the file says')}."

    @property
    def headline(self) -> str:
        """What is recommended, or that there is no score."""
        if self.estimate.sis is None:
            return "SIS not determined"
        return f"Recommended: {self.strategy.recommended}"

    @property
    def null_note(self) -> str:
        """One sentence on the null, and on what the groups tell."""
        estimate = self.estimate
        how = "within groups" if estimate.n_groups else "over all samples"
        said = (
            f"Null: {len(estimate.null)} refits with labels shuffled {how}, as mean (largest); of a score, a share of"
            " nothing, there is none."
            if len(estimate.null)
            else "No null was asked for (--null 0), so nothing shows what chance alone tells."
        )
        if estimate.n_groups:
            said += f" Every number is within groups; the group alone tells {estimate.group_information:.3f} bits."
        return said

    @property
    def rule(self) -> Recommendation | None:
        """The published rule by score and number of pairs, for this many samples; None without a score."""
        sis, bounds = self.estimate.sis, self.estimate.intervals["sis"]
        share = self.estimate.pid.sis_interaction
        return None if sis is None else recommend(sis, bounds, self.estimate.n, interaction_share=share)

    @property
    def power_notes(self) -> list[str]:
        """A sentence a kind of synergy: the least that would have been found."""
        if self.power is None:
            return []
        said = []
        for kind, least in self.power.attrs["smallest"].items():
            most = self.power.loc[self.power["kind"] == kind, "synergy"].max()
            found = (
                f"from {least:.2f} bits on it is found in 80 % of the runs"
                if least is not None and math.isfinite(least)
                else f"up to {most:.2f} bits it is found in fewer than 80 % of the runs"
            )
            said.append(f"Synergy of the {kind} kind, planted on these embeddings, groups and folds: {found}.")
        return said

    def rows(self) -> list[TermRow]:
        """Return the terms as text: parts, scores, and what was measured."""
        estimate, rows = self.estimate, []
        p_values = {"synergy": estimate.p_synergy, "synergy_interaction": estimate.p_interaction}
        p_values["I12"] = estimate.p_information
        for term in TERMS:
            null, known = estimate.null[term], term not in SCORES or estimate.sis is not None
            words = TERM_WORDS[term].format(first=self.inputs["first"], second=self.inputs["second"])
            shown = (
                words if known else f"{words.split(':')[0]}: not determined",
                _text(estimate.value(term)) if known else "–",
                _interval(estimate.intervals[term]) if known else "–",
                _interval(estimate.group_intervals[term]) if known and estimate.group_intervals else "–",
                f"{_text(null.mean())} ({_text(null.max())})" if term not in SCORES and null.notna().any() else "–",
            )
            rows.append(TermRow(term, *shown, _p(p_values.get(term, math.nan))))
        return rows

    def record(self) -> dict[str, Any]:
        """Return the record that is written as JSON; what is not estimated or not determined is None."""
        estimate, rule = self.estimate, self.rule
        return {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "package_version": __version__,
            "inputs": dict(self.inputs),
            "settings": {**self.settings, "level": estimate.level, "replicates": estimate.n_bootstrap},
            "n": estimate.n,
            "n_groups": estimate.n_groups,
            "group_information": estimate.group_information,
            "resampled": estimate.resampled,
            "dimensions": list(self.dimensions),
            "target": {"note": self.target_note, "made_from": self.made_from or None, "classes": dict(self.counts)},
            "unit": "bits; sis and sis_interaction are shares",
            "terms": {term: self._numbers(term) for term in TERMS},
            "gap": _number(estimate.pid.gap),
            "p_information": _number(estimate.p_information),
            "p_synergy": _number(estimate.p_synergy),
            "p_interaction": _number(estimate.p_interaction),
            "smallest_effect": self._smallest(),
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

    def _numbers(self, term: str) -> dict[str, float | None]:
        """Return a term with its intervals and its null."""
        estimate, nothing = self.estimate, (math.nan, math.nan)
        known = term not in SCORES or estimate.sis is not None
        low, high = estimate.intervals[term] if known else nothing
        group_low, group_high = estimate.group_intervals.get(term, nothing) if known else nothing
        null = estimate.null[term]
        return {
            "value": _number(estimate.value(term)) if known else None,
            "low": _number(low),
            "high": _number(high),
            "group_low": _number(group_low),
            "group_high": _number(group_high),
            "null": _number(null.mean()),
            "null_most": _number(null.max()),
        }

    def _smallest(self) -> dict[str, Any] | None:
        """Return the least synergy that is found, and all that was planted."""
        if self.power is None:
            return None
        least = {kind: None if bits is None else _number(bits) for kind, bits in self.power.attrs["smallest"].items()}
        return {"bits": least, "planted": json.loads(self.power.to_json(orient="records"))}


def _number(value: float) -> float | None:
    """Return a plain number, or None where there is none."""
    return float(value) if math.isfinite(value) else None


def _text(value: float) -> str:
    """Write bits or a score; a dash where there is none."""
    return f"{round(value, 3) + 0.0:.3f}" if math.isfinite(value) else "–"  # no minus before a zero


def _interval(bounds: tuple[float, float]) -> str:
    """Write an interval; a dash where there is none."""
    return f"{_text(bounds[0])} to {_text(bounds[1])}" if all(map(math.isfinite, bounds)) else "–"


def _p(p: float) -> str:
    """Write a p-value; nothing where there is none."""
    if not math.isfinite(p):
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.2g}"
