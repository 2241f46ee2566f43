"""From a decomposition to what to try: the published table by score, and what the parts say beside it."""

from dataclasses import dataclass

import numpy as np

from beyond_alignment.information.estimate import PIDEstimate

LEAST_INFORMATION = 0.01
LEAST_UNIQUE = 0.005


@dataclass(frozen=True)
class TableRow:
    """One row of the published table.

    Attributes
    ----------
    name
        Short name.
    low, high
        Scores from `low` up to, but not including, `high`; the last row includes 1.
    advice
        What the paper suggests there.
    """

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


@dataclass(frozen=True)
class Strategy:
    """What to try, and why.

    Attributes
    ----------
    rows
        Rows of the table that the interval of SIS touches; the point alone where there is no interval.
    recommended
        Name of a row of `TABLE`, or ``none`` where no information about the target was found. It departs from `rows`
        where the parts of the decomposition speak against the score alone.
    reason
        Why, in sentences for a reader who has not read the paper.
    """

    rows: tuple[TableRow, ...]
    recommended: str
    reason: str


def table_rows(low: float, high: float) -> tuple[TableRow, ...]:
    """Return the rows of the table that an interval of SIS touches, clipped to 0 to 1."""
    low, high = min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)
    return tuple(row for row in TABLE if row.low <= high and (low < row.high or row is TABLE[-1]))


def recommend_strategy(
    estimate: PIDEstimate, *, names: tuple[str, str] = ("the first source", "the second source")
) -> Strategy:
    """Recommend how to use two sources, from their decomposition and its uncertainty.

    Only interaction synergy *needs* a model that lets the sources interact; an additive model on both side by side
    reaches the other part of the synergy, and unique information of both sources makes concatenation pay where there is
    no synergy at all. So the published table is read from the interval of SIS, and then corrected by the parts.

    Parameters
    ----------
    estimate
        Decomposition with intervals and p-values.
    names
        What to call the sources.
    """
    pid, level = estimate.pid, 100 * estimate.level
    low, high = estimate.intervals["sis"]
    known = bool(np.isfinite([low, high]).all())
    rows = table_rows(low, high) if known else table_rows(pid.sis, pid.sis)
    least = estimate.intervals["I12"][0]
    if not (least if np.isfinite(least) else pid.I12) > LEAST_INFORMATION:
        reason = (
            f"Both sources together tell {pid.I12:.2f} bits about the target, which this data does not tell apart from"
            " nothing, so no fusion has anything to use; look at the sources and the labels first."
        )
        return Strategy(rows, "none", reason)
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


def _decide(estimate: PIDEstimate, names: tuple[str, str]) -> tuple[str, list[str]]:
    """Return the recommended row and the sentences that lead to it."""
    pid, alpha = estimate.pid, 1 - estimate.level
    interaction, why = _interaction(estimate)
    if interaction:
        return ("synergy-maximising" if pid.sis_interaction >= TABLE[-1].low else "interaction"), why
    synergy = _shown(estimate.p_synergy, estimate.intervals["synergy"][0], alpha)
    unique = min(pid.unique1, pid.unique2)
    complementary = min(estimate.intervals[term][0] for term in ("unique1", "unique2")) > LEAST_UNIQUE
    if not synergy:
        why.append(f"Synergy above zero is not shown ({_p(estimate.p_synergy)}).")
    if complementary:
        why.append(
            f"Each source tells something that the other does not ({names[0]} {pid.unique1:.2f}, {names[1]}"
            f" {pid.unique2:.2f} bits), which pays for concatenation whatever the synergy."
        )
    split = not np.isnan(estimate.p_interaction)
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


def _interaction(estimate: PIDEstimate) -> tuple[bool, list[str]]:
    """Say whether a model of interactions is needed, and the sentence about it."""
    pid, p = estimate.pid, estimate.p_interaction
    if np.isnan(p) or np.isnan(pid.synergy_interaction):
        return False, [
            f"The method {estimate.method!r} does not tell the part of the synergy that needs an interaction from the"
            " part that adding up two sources reaches; the method 'posterior' does."
        ]
    low, high = estimate.intervals["synergy_interaction"]
    interval = f"{low:.2f} to {high:.2f}; " if np.isfinite([low, high]).all() else ""
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
    return low > 0 if np.isnan(p) else p < alpha


def _p(p: float) -> str:
    """Write a p-value."""
    if np.isnan(p):
        return "no p-value"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _start(sentence: str) -> str:
    """Write the first letter of a sentence that starts with an article large; names of keys stay as they are."""
    return sentence[0].upper() + sentence[1:] if sentence.startswith("the ") else sentence
