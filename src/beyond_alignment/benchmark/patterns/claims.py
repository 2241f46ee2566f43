"""Verdicts on what a survey says of the patterns of integration: S1 to S5 from contrasts, S6 from costs and curves."""

from collections.abc import Sequence

import pandas as pd

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.benchmark.patterns.contrasts import CONTRASTS
from beyond_alignment.benchmark.verdicts import NOT_REPLICATED, REPLICATED, UNTESTABLE, a_lead

TISSUE = "HER2ST, MOB and colorectal Visium under their main splits, tiles resampled; n counts tasks"
QUADRATIC = 1.5
READS_TOKENS = "cross_attention"
Record = dict[str, object]


def pattern_claims(
    contrasts: pd.DataFrame, relevance: pd.DataFrame, operations: pd.DataFrame, *, seeds: int
) -> list[Record]:
    """Return the records of the claims on patterns that the benchmark page tests: S1 to S5.

    Parameters
    ----------
    contrasts
        From :func:`~beyond_alignment.benchmark.patterns.contrasts`.
    relevance
        From :func:`~beyond_alignment.benchmark.patterns.relevance_study`.
    operations
        From :func:`~beyond_alignment.benchmark.patterns.operations`.
    seeds
        Of the grid.
    """
    cheap = operations.set_index("method")["operations"]
    taken = f"the sum takes {cheap['sum']:,} operations a spot, the patterns {cheap.min():,} to {cheap.max():,}"
    records = [
        _lead(contrasts, "S1", taken),
        _relevance_claim(contrasts, relevance),
        *(_lead(contrasts, claim) for claim in ("S3", "S4", "S5")),
    ]
    return [{"seeds": seeds, "data": TISSUE} | record for record in records]


def token_claim(growth: pd.Series, points: pd.DataFrame, *, tasks: Sequence[str]) -> Record:
    """Return the record of S6: cross-attention costs the square of the tokens, and needs pairs.

    Needing pairs: from the smallest to the largest share of the training spots, cross-attention gains on concatenation.

    Parameters
    ----------
    growth
        From :func:`~beyond_alignment.benchmark.patterns.growth_with_tokens`.
    points
        From :func:`~beyond_alignment.benchmark.curve_points`.
    tasks
        Names of the tasks of real tissue.
    """
    power = float(growth[READS_TOKENS])
    used = points[points["task"].isin(list(tasks)) & (points["metric"] == "macro_f1")]
    score = used.pivot_table(index=["task", "fraction"], columns="method", values="value", sort=False)
    lead = (score[READS_TOKENS] - score["concat"]).unstack("fraction").dropna()
    ends = sorted(lead.columns)
    mean, low, high = mean_interval(lead[ends[-1]] - lead[ends[0]])
    verdict = a_lead(low, high) if power >= QUADRATIC else NOT_REPLICATED
    return {
        "claim": "S6",
        "measured": f"operations of cross-attention grow with the power {power:.2f} of the tokens (square: {QUADRATIC} "
        f"or more); its lead over concatenation changes by {mean:+.3f} macro_f1 from {ends[0]:.0%} to {ends[-1]:.0%} "
        "of the training spots",
        "value": mean,
        "interval": (low, high),
        "n": len(lead),
        "seeds": int(used["seed"].nunique()),
        "data": "the tasks of real tissue under their main splits; interval over tasks, which n counts",
        "verdict": verdict,
    }


def _lead(contrasts: pd.DataFrame, claim: str, more: str = "") -> Record:
    """Return the record of a claim that puts methods ahead of others; the contrast that holds least decides."""
    rows = [row for _, row in contrasts[contrasts["claim"] == claim].iterrows()]
    if len(rows) < sum(one.claim == claim for one in CONTRASTS):
        return _absent(claim)
    order = (NOT_REPLICATED, UNTESTABLE, REPLICATED)
    first, *others = sorted(rows, key=lambda row: order.index(a_lead(row["low"], row["high"])))
    return {
        "claim": claim,
        "measured": "; ".join([_words(first), *map(_words, others), *([more] if more else [])]),
        "value": float(first["difference"]),
        "interval": (float(first["low"]), float(first["high"])),
        "n": int(first["n_tasks"]),
        "verdict": a_lead(first["low"], first["high"]),
    }


def _words(row: pd.Series) -> str:
    """Say what a contrast found."""
    kind = {"tissue": "of tissue", "around": "made from the spots around", "synergy": "of simulated synergy"}
    lead = f"{row['difference']:+.3f} ({row['low']:.3f} to {row['high']:.3f}) macro-F1"
    return f"{row['ahead']} less {row['behind']} {lead} on {row['n_tasks']} labels {kind[row['labels']]}"


def _relevance_claim(contrasts: pd.DataFrame, relevance: pd.DataFrame) -> Record:
    """Return the record of S2, decided where the relevance of a source varies by construction."""
    varying = relevance[(relevance["relevance"] == "varying") & (relevance["probe"] == "linear")]
    told = varying.pivot_table(index="seed", columns="method", values="bits")
    rows = contrasts[contrasts["claim"] == "S2"]
    if rows.empty or not {"attention_pooling", "global_pooling"} <= set(told.columns):
        return _absent("S2")
    mean, low, high = mean_interval(told["attention_pooling"] - told["global_pooling"])
    return {
        "claim": "S2",
        "measured": f"where the source that tells changes by example, attention pooling less global pooling "
        f"{mean:+.3f} bits of {varying['label_bits'].max():.0f}; {_words(rows.iloc[0])}",
        "value": mean,
        "interval": (low, high),
        "n": int(varying["n"].max()),
        "seeds": len(told),
        "data": "known truth: Gaussian embeddings of the bits of five labels; interval over seeds",
        "verdict": a_lead(low, high),
    }


def _absent(claim: str) -> Record:
    """Return the record of a claim whose methods were not run."""
    return {"claim": claim, "measured": "not every method that it names was run", "verdict": UNTESTABLE}
