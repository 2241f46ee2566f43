"""What page 05 says of gates, and the claim that they decide."""

from typing import Any

import pandas as pd

from beyond_alignment.benchmark.verdicts import NOT_REPLICATED, REPLICATED
from beyond_alignment.information.advice import MATERIAL


def gate_numbers(exact: pd.DataFrame, published: pd.DataFrame) -> dict[str, float]:
    """Return what the prose says of gates.

    ``exact`` is from :func:`beyond_alignment.information.decompose_gates`, ``published`` from
    :func:`beyond_alignment.information.published_score_of_gates`.
    """
    broja, imin = (exact[exact["measure"] == name].set_index("gate") for name in ("BROJA", "I_min"))
    copy = published.set_index("gate").loc["copy"]
    return {
        "copy_imin_redundancy": float(imin.at["copy", "redundancy"]),
        "copy_broja_redundancy": float(broja.at["copy", "redundancy"]),
        "noisy_views_additive": float(broja.at["noisy_views", "synergy_additive"]),
        "xor_interaction": float(broja.at["xor", "synergy_interaction"]),
        "copy_score": float(copy["score"]),
        "copy_synergy": float(copy["synergy"]),
    }


def definitions_claim(published: pd.DataFrame) -> dict[str, Any]:
    """Return the record of B1: whether the two definitions of the score agree where both are exact."""
    gates = published.set_index("gate")
    copy, xor = gates.loc["copy"], gates.loc["xor"]
    apart = float(copy["score"]) > MATERIAL > float(copy["synergy"]) and xor["score"] == "undefined"
    return {
        "claim": "B1",
        "measured": f"proof: on COPY the published score is {float(copy['score']):.2f} where the synergy is "
        f"{float(copy['synergy']):.2f} bits, and on XOR, which is {float(xor['synergy']):.0f} bit of synergy, it is "
        "undefined, so the two definitions are not the same; over labels of tissue they were not compared, since too "
        "few have a score that is determined",
        "value": float(copy["score"]),
        "n": len(gates),
        "data": "exact distributions of gates; n is their number",
        "verdict": NOT_REPLICATED if apart else REPLICATED,
    }
