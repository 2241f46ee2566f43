"""The published rule by score and number of pairs: which way of using two sources pays for so much paired data."""

import math
from dataclasses import dataclass

from beyond_alignment.errors import InputError
from beyond_alignment.information.strategy import MATERIAL, TABLE, TableRow, table_rows

HIGH_SIS = TABLE[2].low
"""Score from which the rule speaks of a high one. The rule states no number; this is where the published table by score
begins to advise a fusion of interactions, which is what the rule advises for a high score."""
FEW_PAIRS, MANY_PAIRS = 1_000, 10_000
"""Pairs below which the rule stays unimodal, and above which it advises attention."""
UNIMODAL = ("expression_only", "morphology_only")


@dataclass(frozen=True)
class RuleRow:
    """One row of the published rule.

    Attributes
    ----------
    name
        Short name.
    low, high
        Scores from `low` up to, but not including, `high`; the last includes 1.
    fewest, most
        Numbers of pairs, both included; infinity where there is no end.
    methods
        Fusion methods that it names, any of them.
    advice
        What it says.
    """

    name: str
    low: float
    high: float
    fewest: float
    most: float
    methods: tuple[str, ...]
    advice: str


def rule_rows(high_sis: float = HIGH_SIS) -> tuple[RuleRow, ...]:
    """Return the rows of the rule, with the score from which it counts as high."""
    return (
        RuleRow("unimodal", 0.0, high_sis, 1, math.inf, UNIMODAL, "fine-tune the better single source"),
        RuleRow(
            "unimodal until there are more pairs", high_sis, 1.0, 1, FEW_PAIRS - 1, UNIMODAL,
            "the pairs are too few for a fusion; fine-tune the better single source",
        ),
        RuleRow(
            "simple interaction", high_sis, 1.0, FEW_PAIRS, MANY_PAIRS, ("low_rank",),
            "use a simple model of interactions: low-rank multimodal fusion (LMF)",
        ),
        RuleRow(
            "attention", high_sis, 1.0, MANY_PAIRS + 1, math.inf, ("cross_attention", "bottleneck"),
            "use cross-attention or an attention bottleneck",
        ),
    )  # fmt: skip


RULE = rule_rows()
"""Strategy by score and number of pairs, as the paper gives it."""


@dataclass(frozen=True)
class Recommendation:
    """What the published rule says, and what stands beside it.

    Attributes
    ----------
    row
        Row of the rule at the score itself.
    rows
        Rows that the interval of the score touches.
    table
        Rows of the table by score alone that the interval touches.
    sis, interval
        Score and its interval; None where there is none.
    n_paired
        Paired spots.
    interaction_share
        Share of the information that is interaction synergy; None where it is not known.
    high_sis
        Score from which the rule was taken to speak of a high one.
    sentences
        What the rule says and what speaks for and against it, for a reader who has not read the paper.
    """

    row: RuleRow
    rows: tuple[RuleRow, ...]
    table: tuple[TableRow, ...]
    sis: float
    interval: tuple[float, float] | None
    n_paired: int
    interaction_share: float | None
    high_sis: float
    sentences: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Whether the interval leaves one row."""
        return len(self.rows) == 1

    @property
    def reason(self) -> str:
        """All sentences."""
        return " ".join(self.sentences)

    def record(self) -> dict[str, object]:
        """Return what is written as JSON."""
        return {
            "n_paired": self.n_paired,
            "sis": self.sis,
            "low": self.interval[0] if self.interval else None,
            "high": self.interval[1] if self.interval else None,
            "interaction_share": self.interaction_share,
            "high_sis": self.high_sis,
            "row": self.row.name,
            "methods": list(self.row.methods),
            "rows": [row.name for row in self.rows],
            "table_rows": [row.name for row in self.table],
            "reason": self.reason,
        }


def recommend(
    sis: float,
    interval: tuple[float, float] | None,
    n_paired: int,
    *,
    interaction_share: float | None = None,
    high_sis: float = HIGH_SIS,
) -> Recommendation:
    """Read the published rule by score and number of pairs, as it is.

    It does not replace :func:`~beyond_alignment.information.strategy.recommend_strategy`, which reads the table by
    score alone and corrects it by the parts of a decomposition: this one adds the number of pairs, and shares the
    table's bounds. It names the rows of that table beside its own, and where the share of interaction is known, whether
    it speaks for a model of interactions at all.

    Parameters
    ----------
    sis
        Score S / I(X1, X2; Y), from 0 to 1.
    interval
        Its interval (low, high), clipped to 0 to 1; None, or bounds that are NaN, where there is none.
    n_paired
        Spots with both modalities and a label, to train on.
    interaction_share
        Share of the information that is synergy by interaction, from 0 to 1; NaN counts as not known.
    high_sis
        Score from which the rule speaks of a high one, within (0, 1).

    Raises
    ------
    InputError
        A number is out of range, or the interval does not hold the score.
    """
    found = _number(sis, "SIS")
    share = None if interaction_share is None or math.isnan(interaction_share) else interaction_share
    if share is not None and not 0 <= share <= 1:
        raise InputError(f"An interaction share of {share:g}: give a share of the information, from 0 to 1.")
    if not 0 < high_sis < 1:
        raise InputError(f"A boundary of {high_sis:g} for a high SIS: give a number between 0 and 1.")
    if isinstance(n_paired, bool) or not isinstance(n_paired, int) or n_paired < 1:
        raise InputError(f"{n_paired} paired spots: give a whole number of at least 1.")
    bounds = _bounds(found, interval)
    low, high = bounds or (found, found)
    reach = [row for row in rule_rows(high_sis) if row.fewest <= n_paired <= row.most]
    rows = tuple(row for row in reach if row.low <= high and (low < row.high or row.high == 1.0))
    row = next(row for row in reversed(rows) if row.low <= found)
    table = table_rows(low, high)
    sentences = (
        _what(found, bounds, n_paired, row, rows),
        *_pairs(rows),
        *_beside(table, rows, share),
        _caution(high_sis),
    )
    return Recommendation(row, rows, table, found, bounds, n_paired, share, high_sis, sentences)


def _number(value: float, name: str) -> float:
    """Return a share."""
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise InputError(f"{name} is {value:g}: give S / I(X1, X2; Y), from 0 to 1.")
    return float(value)


def _bounds(sis: float, interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the interval within 0 to 1; None where there is none."""
    if interval is None or any(math.isnan(bound) for bound in interval):
        return None
    low, high = (min(max(float(bound), 0.0), 1.0) for bound in interval)
    if not low - 1e-9 <= sis <= high + 1e-9:
        raise InputError(
            f"The interval {interval[0]:g} to {interval[1]:g} does not hold the SIS of {sis:g}; give the low end first,"
            " and an interval of this score."
        )
    return min(low, sis), max(high, sis)


def _what(
    sis: float, bounds: tuple[float, float] | None, n_paired: int, row: RuleRow, rows: tuple[RuleRow, ...]
) -> str:
    """Say what the rule says."""
    shown = f"interval {bounds[0]:.2f} to {bounds[1]:.2f}" if bounds else "without an interval"
    start = f"With an SIS of {sis:.2f} ({shown}) and {n_paired:,} paired spots the published rule says: {row.advice}."
    others = [other for other in rows if other is not row]
    if not others:
        return start
    named = "; ".join(other.advice for other in others)
    return f"{start} The interval also reaches a score at which it says otherwise: {named}."


def _pairs(rows: tuple[RuleRow, ...]) -> list[str]:
    """Say what more pairs would change, where the score may be high."""
    last = rows[-1]
    if last.low == 0:
        return ["At a low score it says so for any number of pairs."]
    if last.most == math.inf:
        return []
    return [f"At a high score it says something else from {last.most + 1:,} pairs on."]


def _beside(table: tuple[TableRow, ...], rows: tuple[RuleRow, ...], share: float | None) -> list[str]:
    """Say what the table by score alone reads, and whether the part by interaction speaks for a fusion of it."""
    said = [f"The published table by score alone reads {' or '.join(repr(row.name) for row in table)}."]
    if share is None or rows[-1].low == 0:
        return said
    if share < MATERIAL:
        said.append(
            f"Only {100 * share:.0f} % of the information is synergy that needs an interaction, so that putting both"
            " sources side by side in an additive model may already reach what a fusion could gain."
        )
    else:
        said.append(f"{100 * share:.0f} % of the information is synergy that only a model of interactions reaches.")
    return said


def _caution(high_sis: float) -> str:
    """Say what the rule leaves open."""
    where = ", from which on that table advises a fusion of interactions" if high_sis == HIGH_SIS else ""
    return (
        f"The rule states no number for a high score, and {high_sis:.2f} is taken here{where}; it is the paper's rule"
        " of thumb, so compare held-out scores before building on it."
    )
