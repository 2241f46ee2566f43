"""Which methods capture what they should: shares with their intervals, and the bars that were set beforehand."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.benchmark.significance import holm
from beyond_alignment.fusion import FUSION_METHODS, FusionMethod

MOST = 0.9
ALPHA = 0.05
ADDITIVE = ("concat", "late_average")


@dataclass(frozen=True)
class Bar:
    """A bar that some methods are to reach.

    Attributes
    ----------
    name
        What is asked, in words.
    term
        Of the decomposition.
    asked_of
        Whether it is asked of a method under a probe.
    nothing
        Whether the term is to be absent, instead of nine tenths of it present.
    """

    name: str
    term: str
    asked_of: Callable[[FusionMethod, str], bool]
    nothing: bool = False


def _additive(method: FusionMethod, probe: str) -> bool:
    """Return whether a method under a probe is additive: a perceptron on both embeddings side by side is not."""
    return method.name in ADDITIVE and (probe == "linear" or method.name == "late_average")


BARS = (
    Bar("every method: at least 0.9 of pure redundancy", "redundancy", lambda method, probe: True),
    Bar(
        "interaction methods: at least 0.9 of the synergy of XOR",
        "synergy_interaction",
        lambda method, probe: method.family == "interaction",
    ),
    Bar(
        "alignment methods: within noise of zero on XOR",
        "synergy_interaction",
        lambda method, probe: method.family == "alignment",
        nothing=True,
    ),
    Bar("additive methods: within noise of zero on XOR", "synergy_interaction", _additive, nothing=True),
    Bar("additive methods: at least 0.9 of the synergy of AND", "synergy_additive", _additive),
)


def summarise_captured(runs: pd.DataFrame) -> pd.DataFrame:
    """Average the shares over seeds.

    Parameters
    ----------
    runs
        From :func:`beyond_alignment.benchmark.captured`.

    Returns
    -------
    pandas.DataFrame
        One row a method, setting, term and probe: family, share (mean over seeds), low and high (95 % Student interval
        over seeds), bits, term_bits, p_nothing (one-sided, of the label being independent of the representation: exact
        moments over permutations of the test labels, summed over seeds, and a normal tail), n, n_seeds, n_failed. NaN
        where every seed failed.
    """
    rows = []
    for (method, setting, term, probe), part in runs.groupby(["method", "setting", "term", "probe"], sort=False):
        good = part[part["failure"] == ""]
        share, low, high = mean_interval(good["share"]) if len(good) else (np.nan,) * 3
        spread = float(np.sqrt((good["spread"] ** 2).sum()))
        beyond = float((good["bits"] - good["chance"]).sum())
        p = float(norm.sf(beyond / spread)) if spread > 0 else (np.nan if good.empty else 1.0)
        rows.append(
            {"method": method, "family": FUSION_METHODS[str(method)].family, "setting": setting, "term": term}
            | {"probe": probe, "share": share, "low": low, "high": high, "bits": good["bits"].mean()}
            | {"term_bits": part["term_bits"].iloc[0], "p_nothing": p, "n": part["n"].iloc[0]}
            | {"n_seeds": len(good), "n_failed": len(part) - len(good)}
        )
    return pd.DataFrame(rows)


def check_bars(summary: pd.DataFrame) -> pd.DataFrame:
    """Say which bars hold, method by method and probe by probe.

    A share of at least 0.9 is asked of the mean over seeds. Within noise of zero is what cannot be told from a
    representation that is independent of the label, by p_nothing, Holm-corrected over the methods of the bar and probe.

    Parameters
    ----------
    summary
        From :func:`summarise_captured`.

    Returns
    -------
    pandas.DataFrame
        One row a bar, probe and method that it is asked of: share, low, high, p_holm (NaN for a share of 0.9), holds,
        and sure (whether the whole interval lies on that side of 0.9; for zero, whether it holds and the interval ends
        below 0.05).
    """
    rows = []
    here = summary[summary["setting"] == "alone"]
    for bar in BARS:
        for probe, part in here[here["term"] == bar.term].groupby("probe", sort=False):
            asked = part[[bar.asked_of(FUSION_METHODS[name], str(probe)) for name in part["method"]]]
            p = holm(asked["p_nothing"]) if bar.nothing else np.full(len(asked), np.nan)
            for row, corrected in zip(asked.itertuples(), p, strict=True):
                holds = bool(corrected > ALPHA) if bar.nothing else bool(row.share >= MOST)
                sure = row.high < ALPHA if bar.nothing else (row.low >= MOST if holds else row.high < MOST)
                rows.append(
                    {"bar": bar.name, "probe": probe, "method": row.method, "share": row.share, "low": row.low}
                    | {"high": row.high, "p_holm": corrected, "holds": holds, "sure": bool(sure)}
                )
    return pd.DataFrame(rows)


def count_bars(checked: pd.DataFrame) -> pd.DataFrame:
    """Count, bar by bar and probe by probe, the methods that reach it.

    Parameters
    ----------
    checked
        From :func:`check_bars`.

    Returns
    -------
    pandas.DataFrame
        One row a bar and probe: methods (asked), hold, and missed (names with their share, or nothing).
    """
    rows = []
    for (bar, probe), part in checked.groupby(["bar", "probe"], sort=False):
        missed = [f"{row.method} ({row.share:.2f})" for row in part[~part["holds"]].itertuples()]
        rows.append({"bar": bar, "probe": probe, "methods": len(part), "hold": int(part["holds"].sum())}
                    | {"missed": ", ".join(missed)})  # fmt: skip
    return pd.DataFrame(rows)
