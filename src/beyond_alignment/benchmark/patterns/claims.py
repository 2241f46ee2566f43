"""Verdicts on what a survey says of the patterns of integration: S1 to S5 from contrasts, S6 from costs and curves."""

from collections.abc import Sequence

import pandas as pd

from beyond_alignment.benchmark.leads import mean_interval
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
        _lead(contrasts, "S1", f"; {taken}"),
        _relevance_claim(contrasts, relevance),
        _lead(contrasts, "S3"),
        _lead(contrasts, "S4"),
        _both_leads(contrasts),
    ]
    return [{"seeds": seeds, "data": TISSUE} | record for record in records]


def token_claim(growth: pd.Series, points: pd.DataFrame, *, tasks: Sequence[str], metric: str = "macro_f1") -> Record:
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
    metric
        The score.
    """
    power = float(growth[READS_TOKENS])
    used = points[points["task"].isin(list(tasks)) & (points["metric"] == metric)]
    score = used.pivot_table(index=["task", "fraction"], columns="method", values="value", sort=False)
    lead = (score[READS_TOKENS] - score["concat"]).unstack("fraction").dropna()
    ends = sorted(lead.columns)
    mean, low, high = mean_interval(lead[ends[-1]] - lead[ends[0]])
    verdict = a_lead(low, high) if power >= QUADRATIC else NOT_REPLICATED
    return {
        "claim": "S6",
        "measured": f"operations of cross-attention grow with the power {power:.2f} of the tokens (square: {QUADRATIC} "
        f"or more); its lead over concatenation changes by {mean:+.3f} {metric} from {ends[0]:.0%} to {ends[-1]:.0%} "
        "of the training spots",
        "value": mean,
        "interval": (low, high),
        "n": len(lead),
        "seeds": int(used["seed"].nunique()),
        "data": "the tasks of real tissue under their main splits; interval over tasks, which n counts",
        "verdict": verdict,
    }


def _lead(contrasts: pd.DataFrame, claim: str, more: str = "") -> Record:
    """Return the record of a claim that puts one method ahead of another."""
    rows = contrasts[contrasts["claim"] == claim]
    return _absent(claim) if rows.empty else _said(rows.iloc[0], more)


def _said(row: pd.Series, more: str) -> Record:
    """Return the record of one contrast."""
    return {
        "claim": row["claim"],
        "measured": _words(row) + more,
        "value": float(row["difference"]),
        "interval": (float(row["low"]), float(row["high"])),
        "n": int(row["n_tasks"]),
        "verdict": a_lead(row["low"], row["high"]),
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


def _both_leads(contrasts: pd.DataFrame) -> Record:
    """Return the record of S5: relational ahead where synergy is, hierarchical ahead where labels are nested."""
    rows = contrasts[contrasts["claim"] == "S5"].set_index("labels")
    if not {"synergy", "around"} <= set(rows.index):
        return _absent("S5")
    one, two = (rows.reset_index().set_index("labels", drop=False).loc[kind] for kind in ("synergy", "around"))
    verdicts = {a_lead(row["low"], row["high"]) for row in (one, two)}
    verdict = next((v for v in (NOT_REPLICATED, UNTESTABLE) if v in verdicts), REPLICATED)
    return _said(two, f"; {_words(one)}") | {"verdict": verdict, "n": int(one["n_tasks"] + two["n_tasks"])}


def _absent(claim: str) -> Record:
    """Return the record of a claim whose methods were not run."""
    return {"claim": claim, "measured": "not every method that it names was run", "verdict": UNTESTABLE}
