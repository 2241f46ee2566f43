"""How the numbers of a decomposition and of the rule are written, on a terminal and in a report."""

import math

from beyond_alignment.information.advice import RuleRow
from beyond_alignment.information.estimate import PIDEstimate

PARTS_OF_SYNERGY = ("synergy_additive", "synergy_interaction", "sis_interaction")


def number(value: float) -> str:
    """Write bits or a score; a dash where there is none."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def interval(bounds: tuple[float, float]) -> str:
    """Write an interval; a dash where there is none."""
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}" if all(map(math.isfinite, bounds)) else "–"


def p_value(estimate: PIDEstimate, term: str) -> str:
    """Write the p-value of the two terms that have one."""
    p = {"synergy": estimate.p_synergy, "synergy_interaction": estimate.p_interaction}.get(term, math.nan)
    if not math.isfinite(p):
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def pairs(row: RuleRow) -> str:
    """Write the numbers of pairs that a row of the rule is for."""
    if row.most == math.inf:
        return "any number" if row.fewest <= 1 else f"more than {row.fewest - 1:,}"
    return f"fewer than {row.most + 1:,}" if row.fewest <= 1 else f"{row.fewest:,} to {row.most:,}"
