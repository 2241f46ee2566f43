"""What page 05 says and shows: gates taken apart exactly, and the score of each task beside the gain of fusion."""

import pandas as pd

from beyond_alignment.benchmark.sis_against_gain import TaskRelation, beside_sis, relate_gain

WIDEST_UM = 600


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


def beside_gain(tasks: pd.DataFrame, gains: pd.DataFrame, *, seed: int) -> tuple[pd.DataFrame, TaskRelation]:
    """Return the share of synergy of each task beside the gain of concatenation at its widest field, and the relation.

    ``tasks`` are decompositions at the widest field of each data set, ``gains`` those of every field of view.
    """
    widest = gains[gains["field_um"] == gains.groupby("task")["field_um"].transform("max")]
    both = beside_sis(widest, {WIDEST_UM: tasks})
    return both, relate_gain(both, seed=seed)
