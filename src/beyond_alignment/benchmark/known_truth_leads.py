"""Which families of methods lead where the decomposition of the label is known."""

import pandas as pd

from beyond_alignment.benchmark.simulated_tissue import RULES, simulated_truth
from beyond_alignment.fusion import FUSION_METHODS

TERM_SYMBOLS = {
    "redundancy": "R",
    "unique1": "U1",
    "unique2": "U2",
    "synergy": "S",
    "synergy_additive": "S additive",
    "synergy_interaction": "S interaction",
}
PARTS = tuple(term for term in TERM_SYMBOLS if term != "synergy")
LEAST_SHOWN = 0.005


def known_truth_leads(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Put the true decomposition of each label of simulated tissue beside the fusions that beat its better expert.

    Parameters
    ----------
    comparisons
        From :func:`beyond_alignment.benchmark.compare_with_experts`: task, method, value, expert_value, verdict. Tasks
        whose truth is not known are left out.

    Returns
    -------
    pandas.DataFrame
        One row a task: task; the true redundancy, unique1, unique2, synergy_additive and synergy_interaction, bits,
        and truth, those of them that are not zero in words; expert_value, the score of the better expert; best, that
        of the best fusion, and best_method; by the name of each family how many of its methods are told apart above the
        expert, and with ``_methods`` after that name how many were compared; ahead and behind, how many of all are told
        apart above and below.
    """
    known = comparisons[comparisons["task"].isin(list(RULES))]
    family = known["method"].map(lambda name: FUSION_METHODS[name].family)
    rows = []
    for task, group in known.groupby("task", sort=False):
        truth, best = simulated_truth(str(task)), group.loc[group["value"].idxmax()]
        terms = {term: getattr(truth, term) for term in PARTS}
        words = [f"{TERM_SYMBOLS[term]} {bits:.2f}" for term, bits in terms.items() if bits >= LEAST_SHOWN]
        row: dict[str, object] = {"task": task, **terms, "truth": ", ".join(words)}
        row |= {"expert_value": best["expert_value"], "best": best["value"], "best_method": best["method"]}
        ahead = group["verdict"] == "better"
        for name in family.unique():
            members = family[group.index] == name
            row |= {str(name): int((ahead & members).sum()), f"{name}_methods": int(members.sum())}
        rows.append(row | {"ahead": int(ahead.sum()), "behind": int((group["verdict"] == "worse").sum())})
    return pd.DataFrame(rows)
