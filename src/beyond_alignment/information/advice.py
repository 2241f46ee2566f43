"""What to try: the published table by score beside the parts of a decomposition, and the rule by number of pairs."""

import math
from dataclasses import dataclass
from typing import Any

from beyond_alignment.checks import whole_number
from beyond_alignment.errors import InputError
from beyond_alignment.information.comparison import SPARSE_TABLE
from beyond_alignment.information.estimate import PIDEstimate

LEAST_INFORMATION = 0.01
LEAST_UNIQUE = 0.005
NOT_DETERMINED = "not determined"


@dataclass(frozen=True)
class TableRow:
    """A row of the published table: scores from `low` up to, but not including, `high` (the last includes 1)."""

    name: str
    low: float
    high: float
    advice: str


TABLE = (
    TableRow("unimodal", 0.0, 0.10, "use the better source alone"),
    TableRow("concatenation", 0.10, 0.25, "putting both side by side may help"),
    TableRow("interaction", 0.25, 0.50, "use a fusion that models interactions, such as low-rank or cross-attention"),
    TableRow("synergy-maximising", 0.50, 1.0, "train with an objective that maximises synergy"),
)
"""Strategy by SIS, as the paper gives it."""

MATERIAL = TABLE[1].low
"""Share of the information below which the table sees no reason to fuse."""

HIGH_SIS = TABLE[2].low
"""Score from which the rule speaks of a high one. The rule states no number; this is where the published table by score
begins to advise a fusion of interactions, which is what the rule advises for a high score."""
FEW_PAIRS, MANY_PAIRS = 1_000, 10_000
"""Pairs below which the rule stays unimodal, and above which it advises attention."""
UNIMODAL = ("expression_only", "morphology_only")


@dataclass(frozen=True)
class RuleRow:
    """A row of the published rule: scores as in `TableRow`, and from `fewest` to `most` pairs, both included."""

    name: str
    low: float
    high: float
    fewest: float
    most: float
    methods: tuple[str, ...]
    advice: str


RULE = (
    RuleRow("unimodal", 0.0, HIGH_SIS, 1, math.inf, UNIMODAL, "fine-tune the better single source"),
    RuleRow(
        "unimodal until there are more pairs", HIGH_SIS, 1.0, 1, FEW_PAIRS - 1, UNIMODAL,
        "the pairs are too few for a fusion; fine-tune the better single source",
    ),
    RuleRow(
        "simple interaction", HIGH_SIS, 1.0, FEW_PAIRS, MANY_PAIRS, ("low_rank",),
        "use a simple model of interactions: low-rank multimodal fusion (LMF)",
    ),
    RuleRow(
        "attention", HIGH_SIS, 1.0, MANY_PAIRS + 1, math.inf, ("cross_attention", "bottleneck"),
        "use cross-attention or an attention bottleneck",
    ),
)  # fmt: skip
"""Strategy by score and number of pairs, as the paper gives it."""


def table_rows(low: float, high: float) -> tuple[TableRow, ...]:
    """Return the rows of the table that an interval of SIS touches, clipped to 0 to 1."""
    low, high = min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)
    return tuple(row for row in TABLE if row.low <= high and (low < row.high or row is TABLE[-1]))


# ------------------------------------------------------------------------------------------ by the parts


@dataclass(frozen=True)
class Strategy:
    """What to try, and why.

    Attributes
    ----------
    rows
        Rows of the table that the interval of SIS touches; the point alone where there is no interval, none where SIS
        is not determined.
    recommended
        Name of a row of `TABLE`, or ``not determined``. It departs from `rows` where the parts of the decomposition
        speak against the score alone.
    reason
        Why, in sentences for a reader who has not read the paper.
    """

    rows: tuple[TableRow, ...]
    recommended: str
    reason: str


def recommend_strategy(
    estimate: PIDEstimate, *, names: tuple[str, str] = ("the first source", "the second source")
) -> Strategy:
    """Recommend how to use two sources, from their decomposition and its uncertainty.

    Only interaction synergy *needs* a model that lets the sources interact; an additive model on both side by side
    reaches the other part of the synergy, and unique information of both sources makes concatenation pay where there is
    no synergy at all. So the published table is read from the interval of SIS, and then corrected by the parts. Where
    SIS is not determined, nothing beyond the better single source is recommended.

    Parameters
    ----------
    estimate
        Decomposition with intervals and p-values.
    names
        What to call the sources.
    """
    pid, level = estimate.pid, 100 * estimate.level
    if estimate.sis is None:
        better = names[0 if pid.I1 >= pid.I2 else 1]
        reason = (
            f"SIS is not determined, because {_nothing(estimate)}: nothing here asks for more than the better source,"
            f" {better}."
        )
        return Strategy((), NOT_DETERMINED, reason)
    low, high = estimate.intervals["sis"]
    known = math.isfinite(low) and math.isfinite(high)
    rows = table_rows(low, high) if known else table_rows(pid.sis, pid.sis)
    *others, last = [repr(row.name) for row in rows]
    found = f"{', '.join(others)} or {last}" if others else last
    share = f" ({level:g} % interval {low:.2f} to {high:.2f})" if known else " (without an interval)"
    published = f"SIS is {pid.sis:.2f}{share}; the published table reads {found}" + (
        ", a choice that this interval leaves open." if len(rows) > 1 else "."
    )
    recommended, why = _decide(estimate, names)
    caution = (
        "The bounds of the table are the paper's rule of thumb, and bits are what an ideal model could use: compare"
        " held-out scores before building on them."
    )
    return Strategy(rows, recommended, " ".join([published, *why, caution]))


def _nothing(estimate: PIDEstimate) -> str:
    """Say why there is no score to read a table by."""
    told = f"both sources together tell {estimate.mutual_information.I12:.2f} bits about the label"
    if estimate.p_information > max(1 - estimate.level, 1 / (1 + len(estimate.null))):
        return f"{told} and shuffled labels reach {estimate.null['I12'].max():.2f} ({_p(estimate.p_information)})"
    return f"{told}, which this data does not tell apart from nothing"


def _decide(estimate: PIDEstimate, names: tuple[str, str]) -> tuple[str, list[str]]:
    """Return the recommended row and the sentences that lead to it."""
    pid, alpha = estimate.pid, 1 - estimate.level
    least = estimate.intervals["I12"][0]
    if not (least if math.isfinite(least) else pid.I12) > LEAST_INFORMATION:
        told = f"{estimate.mutual_information.I12:.2f} bits about the label"
        return TABLE[0].name, [f"Both sources together tell {told}, of which too little is certain to build on."]
    sparse = any(SPARSE_TABLE in warning for warning in estimate.warnings)
    interaction, why = _interaction(estimate, sparse=sparse)
    if interaction:
        return ("synergy-maximising" if pid.sis_interaction >= TABLE[-1].low else "interaction"), why
    synergy = not sparse and _shown(estimate.p_synergy, estimate.intervals["synergy"][0], alpha)
    unique = min(pid.unique1, pid.unique2)
    complementary = min(estimate.intervals[term][0] for term in ("unique1", "unique2")) > LEAST_UNIQUE
    if not synergy and not sparse:
        why.append(f"Synergy above zero is not shown ({_p(estimate.p_synergy)}).")
    if complementary:
        why.append(
            f"Each source tells something that the other does not ({names[0]} {pid.unique1:.2f}, {names[1]}"
            f" {pid.unique2:.2f} bits), which pays for concatenation whatever the synergy."
        )
    split = not math.isnan(estimate.p_interaction)
    gain = unique if complementary else 0.0
    if synergy:
        gain += pid.synergy_additive if split else pid.synergy
    if not split and synergy and pid.sis >= TABLE[2].low:
        return table_rows(pid.sis, pid.sis)[0].name, why
    better, worse = (0, 1) if pid.I1 >= pid.I2 else (1, 0)
    bits = pid.I1, pid.I2
    alone = (
        f"{names[better]} alone tells {bits[better]:.2f} of the {pid.I12:.2f} bits ({names[worse]} {bits[worse]:.2f})"
    )
    if gain >= MATERIAL * pid.I12:
        model = "an additive model of both can reach" if split else "both together tell"
        why.append(f"{_start(alone)}; {model} {gain:.2f} bits more.")
        return "concatenation", why
    why.append(f"{_start(alone)}, and this data does not show that the other adds a tenth of the whole or more.")
    return "unimodal", why


def _interaction(estimate: PIDEstimate, *, sparse: bool) -> tuple[bool, list[str]]:
    """Say whether a model of interactions is needed, and the sentence about it."""
    pid, p = estimate.pid, estimate.p_interaction
    if sparse:
        return False, [
            f"The method {estimate.method!r} counts pairs of clusters, and counts as thin as these exaggerate the"
            " synergy and above all its interaction part, so neither is read here; 'posterior' measures them."
        ]
    if math.isnan(p) or math.isnan(pid.synergy_interaction):
        return False, [
            f"The method {estimate.method!r} does not tell the part of the synergy that needs an interaction from the"
            " part that adding up two sources reaches; the method 'posterior' does."
        ]
    low, high = estimate.intervals["synergy_interaction"]
    interval = f"{low:.2f} to {high:.2f}; " if math.isfinite(low) and math.isfinite(high) else ""
    amount = f"{pid.synergy_interaction:.2f} bits ({interval}{_p(p)})"
    if not _shown(p, low, 1 - estimate.level):
        return False, [
            f"The part of the synergy that only a model of interactions reaches is {amount}: not shown, so nothing here"
            " asks for such a model."
        ]
    if pid.sis_interaction < MATERIAL:
        return False, [
            f"The part of the synergy that only a model of interactions reaches is {amount}: there, but less than a"
            " tenth of the whole."
        ]
    return True, [
        f"The part of the synergy that only a model of interactions reaches is {amount},"
        f" {100 * pid.sis_interaction:.0f} % of the whole: side by side in an additive model the sources would miss it."
    ]


def _shown(p: float, low: float, alpha: float) -> bool:
    """Whether a term is above zero: by its p-value, or by its interval where there is none."""
    return low > 0 if math.isnan(p) else p < alpha


def _p(p: float) -> str:
    """Write a p-value."""
    if math.isnan(p):
        return "no p-value"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _start(sentence: str) -> str:
    """Write the first letter of a sentence that starts with an article large; names of keys stay as they are."""
    return sentence[0].upper() + sentence[1:] if sentence.startswith("the ") else sentence


# ------------------------------------------------------------------------------------------ by the number of pairs


@dataclass(frozen=True)
class Recommendation:
    """What the published rule says at a score (`row`), all rows that its interval touches, and what is beside it."""

    row: RuleRow
    rows: tuple[RuleRow, ...]
    table: tuple[TableRow, ...]
    sis: float
    interval: tuple[float, float] | None
    n_paired: int
    interaction_share: float | None
    reason: str

    def record(self) -> dict[str, Any]:
        """Return what is written as JSON."""
        return {
            "n_paired": self.n_paired,
            "sis": self.sis,
            "low": self.interval[0] if self.interval else None,
            "high": self.interval[1] if self.interval else None,
            "interaction_share": self.interaction_share,
            "high_sis": HIGH_SIS,
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
) -> Recommendation:
    """Read the published rule by score and number of pairs, as it is.

    It does not replace `recommend_strategy`, which reads the table by score alone and corrects it by the parts of a
    decomposition. An interval is clipped to 0 to 1; bounds or an interaction share that are NaN count as not known.
    """
    share = None if interaction_share is None or math.isnan(interaction_share) else float(interaction_share)
    if not (math.isfinite(sis) and 0 <= sis <= 1):
        raise InputError(f"SIS is {sis:g}: give S / I(X1, X2; Y), from 0 to 1.")
    if share is not None and not 0 <= share <= 1:
        raise InputError(f"An interaction share of {share:g}: give a share of the information, from 0 to 1.")
    n_paired, found = whole_number(n_paired, "The number of paired spots", least=1), float(sis)
    bounds = _bounds(found, interval)
    low, high = bounds or (found, found)
    reach = [row for row in RULE if row.fewest <= n_paired <= row.most]
    rows = tuple(row for row in reach if row.low <= high and (low < row.high or row.high == 1.0))
    row = next(row for row in reversed(rows) if row.low <= found)
    table = table_rows(low, high)
    shown = f"interval {bounds[0]:.2f} to {bounds[1]:.2f}" if bounds else "without an interval"
    said = [
        f"With an SIS of {found:.2f} ({shown}) and {n_paired:,} paired spots the published rule says: {row.advice}."
    ]
    if others := [other.advice for other in rows if other is not row]:
        said.append(f"The interval also reaches a score at which it says otherwise: {'; '.join(others)}.")
    said += [*_pairs(rows[-1]), *_beside(table, rows[-1], share)]
    said.append(
        f"The rule states no number for a high score, and {HIGH_SIS:.2f} is taken here, from which on that table"
        " advises a fusion of interactions; it is the paper's rule of thumb, so compare held-out scores before building"
        " on it."
    )
    return Recommendation(row, rows, table, found, bounds, n_paired, share, " ".join(said))


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


def _pairs(last: RuleRow) -> list[str]:
    """Say what more pairs would change, where the score may be high."""
    if last.low == 0:
        return ["At a low score it says so for any number of pairs."]
    return [] if last.most == math.inf else [f"At a high score it says something else from {last.most + 1:,} pairs on."]


def _beside(table: tuple[TableRow, ...], last: RuleRow, share: float | None) -> list[str]:
    """Say what the table by score alone reads, and whether the part by interaction speaks for a fusion of it."""
    said = [f"The published table by score alone reads {' or '.join(repr(row.name) for row in table)}."]
    if share is not None and last.low > 0:
        said.append(
            f"Only {100 * share:.0f} % of the information is synergy that needs an interaction, so that putting both"
            " sources side by side in an additive model may already reach what a fusion could gain."
            if share < MATERIAL
            else f"{100 * share:.0f} % of the information is synergy that only a model of interactions reaches."
        )
    return said
