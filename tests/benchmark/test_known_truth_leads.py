"""The truth of a label stands beside the methods that lead on it."""

import pandas as pd

from beyond_alignment.benchmark.known_truth_leads import known_truth_leads


def row(task, method, value, verdict):
    return {"task": task, "method": method, "value": value, "expert_value": 0.5, "verdict": verdict}


def test_leads_are_counted_by_family_beside_the_truth():
    table = known_truth_leads(
        pd.DataFrame(
            [
                row("simulated_xor", "low_rank", 0.9, "better"),
                row("simulated_xor", "bilinear", 0.8, "better"),
                row("simulated_xor", "clip", 0.5, "not told apart"),
                row("simulated_redundant", "low_rank", 0.5, "not told apart"),
                row("simulated_redundant", "bilinear", 0.4, "worse"),
                row("simulated_redundant", "clip", 0.4, "worse"),
                row("region", "clip", 0.9, "better"),
            ]
        )
    ).set_index("task")
    assert list(table.index) == ["simulated_xor", "simulated_redundant"]
    xor, redundant = table.loc["simulated_xor"], table.loc["simulated_redundant"]
    assert (xor["interaction"], xor["interaction_methods"]) == (2, 2)
    assert (xor["alignment"], xor["alignment_methods"], xor["ahead"], xor["behind"]) == (0, 1, 2, 0)
    assert (redundant["interaction"], redundant["ahead"], redundant["behind"]) == (0, 0, 2)
    assert (xor["best_method"], xor["best"], xor["expert_value"]) == ("low_rank", 0.9, 0.5)
    assert (xor["truth"], redundant["truth"]) == ("S interaction 1.00", "R 1.00")
    assert (round(xor["synergy_interaction"], 3), round(redundant["redundancy"], 3)) == (1, 1)


def test_tissue_without_a_known_truth_gives_an_empty_table():
    assert known_truth_leads(pd.DataFrame([row("region", "clip", 0.9, "better")])).empty
