"""Claims of the scaling page, with verdicts by the rules of ``verdicts``."""

import pandas as pd

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.benchmark.verdicts import LONG_RANGE, UNTESTABLE

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
