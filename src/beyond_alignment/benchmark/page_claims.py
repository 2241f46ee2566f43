"""Claims of the scaling page and of the alignment page, with verdicts by the rules of ``verdicts``."""

import pandas as pd

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.benchmark.verdicts import LONG_RANGE, NOT_REPLICATED, REPLICATED, UNTESTABLE

TISSUE = "HER2ST (8 sections, 3 donors), MOB (4 sections, 2 mice), colorectal Visium (1 section)"


def scaling_claims(lead: pd.DataFrame, first: pd.DataFrame) -> list[dict[str, object]]:
    """Return the records of the claims that the scaling page tests: B10, B11 and B13.

    Parameters
    ----------
    lead
        From :func:`beyond_alignment.benchmark.lead_curve`.
    first
        From :func:`beyond_alignment.benchmark.first_leads`.
    """
    small = lead[lead["fraction"] < 0.1]
    leading = int((small["low"] > 0).sum())
    late = first[first["first lead"].str.endswith("spots")]
    whole = lead[lead["fraction"] == lead["fraction"].max()].set_index("task")["mean"]
    far = whole[[name for name in LONG_RANGE if name in whole.index]]
    mean, low, high = mean_interval(far)
    seeds = int(lead["n_seeds"].max())
    return [
        {
            "claim": "B10",
            "measured": "no expert is fine-tuned here; frozen experts alone lead or tie concatenation below a tenth of "
            f"the training spots on {len(small) - leading} of {len(small)} points",
            "seeds": seeds,
            "data": TISSUE,
            "verdict": UNTESTABLE,
        },
        {
            "claim": "B11",
            "measured": f"concatenation comes to lead on {len(late)} of {len(first)} tasks; mean lead on niche and "
            f"domain tasks at all spots {mean:+.3f} macro-F1; whether synergy decides is not measured here",
            "value": mean,
            "interval": (low, high),
            "n": len(far),
            "seeds": seeds,
            "data": TISSUE,
            "verdict": UNTESTABLE,
        },
        {
            "claim": "B13",
            "measured": "needs low-rank fusion, cross-attention and bottleneck, and a measured synergy",
            "data": TISSUE,
            "verdict": UNTESTABLE,
        },
    ]


def alignment_claims(spectrum: pd.DataFrame, retained: pd.DataFrame, tissue: pd.DataFrame) -> list[dict[str, object]]:
    """Return the records of the claims that the alignment page tests: B4, B5, B6 and B7.

    Parameters
    ----------
    spectrum
        Spectral ceiling of the known-truth task by size and seed.
    retained
        Share of each label's information by size, seed, representation, label and probe.
    tissue
        Bits kept on real tissue by the raw concatenation and by the aligned subspace.
    """
    largest = retained[(retained["n"] == retained["n"].max()) & (retained["representation"] == "aligned subspace")]
    share = largest.groupby("label")["fraction"].agg(["mean", "min", "max"])
    aligned = retained[(retained["representation"] == "aligned subspace") & (retained["label"] == "synergy")]
    by_size = aligned.pivot_table(index="n", columns="seed", values="fraction")
    trends = by_size.iloc[-1] - by_size.iloc[0]  # of each seed
    trend = float(trends.mean())
    seeds = int(retained["seed"].nunique())
    synergy, redundancy = share.loc["synergy"], share.loc["redundant"]
    collapsed = synergy["max"] < 0.05 and redundancy["min"] > 0.9
    n = int(retained["n"].max())
    return [
        {
            "claim": "B4",
            "measured": f"the subspace that canonical correlation finds holds {redundancy['mean']:.2f} of the "
            f"redundant label's information and {synergy['mean']:.2f} of the synergistic one's",
            "value": float(synergy["mean"]),
            "interval": (float(synergy["min"]), float(synergy["max"])),
            "n": n,
            "seeds": seeds,
            "data": "known-truth embeddings; canonical correlation stands for alignment",
            "verdict": REPLICATED if collapsed else NOT_REPLICATED,
        },
        {
            "claim": "B5",
            "measured": f"from {int(by_size.index.min())} to {int(by_size.index.max())} samples the synergy held by "
            f"the aligned subspace changes by {trend:+.3f} of its information",
            "value": trend,
            "interval": (float(trends.min()), float(trends.max())),
            "n": n,
            "seeds": seeds,
            "data": "known-truth embeddings",
            "verdict": REPLICATED if abs(trend) < 0.05 else NOT_REPLICATED,
        },
        {
            "claim": "B6",
            "measured": "no InfoNCE objective is trained on this page",
            "data": "known-truth embeddings",
            "verdict": UNTESTABLE,
        },
        {
            "claim": "B7",
            "measured": "of the alignment methods only canonical correlation is on this page; on tissue it loses bits "
            f"against the concatenation on {_losing(tissue)} tasks and splits",
            "data": "HER2ST (8 sections, 3 donors)",
            "verdict": UNTESTABLE,
        },
    ]


def _losing(tissue: pd.DataFrame) -> str:
    """Say on how many tasks and splits the aligned subspace holds fewer bits than the concatenation."""
    wide = tissue.pivot_table(index=["split", "label"], columns="representation", values="bits")
    return f"{(wide['aligned subspace'] < wide['raw concatenation']).sum()} of {len(wide)}"
