"""Spearman over tasks: against scipy, on orders that are known, and with the tasks that do not count left out."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from beyond_alignment.benchmark.sis_against_gain import beside_sis, relate_gain, spearman
from beyond_alignment.errors import InputError


def tasks(sis, gain, made_from="neighbours"):
    return pd.DataFrame({"task": [f"t{i}" for i in range(len(sis))], "sis": sis, "gain": gain, "made_from": made_from})


def test_many_correlations_at_once_are_scipys():
    values = np.random.default_rng(0).integers(0, 5, (20, 9, 2)).astype(float)
    assert spearman(values) == pytest.approx([spearmanr(*one.T).statistic for one in values])


def test_the_interval_is_over_tasks_and_p_over_permutations():
    rng = np.random.default_rng(1)
    sis = rng.random(40)
    related = relate_gain(tasks(sis, sis + 0.3 * rng.normal(size=40)))
    assert related.low < related.value < related.high
    assert [related.n, related.p < 0.01] == [40, True]
    assert related.low > 0
    other = rng.random(40)
    unrelated = relate_gain(tasks(sis, other))
    assert unrelated.low < 0 < unrelated.high
    assert unrelated.p == pytest.approx(spearmanr(sis, other).pvalue, abs=0.02)
    assert unrelated.p > 0.05


def test_p_is_that_of_all_orders():
    """Of 24 orders of four tasks one is the same and one the reverse."""
    related = relate_gain(tasks([1, 2, 3, 4], [1, 2, 3, 4]), n_permutations=20_000)
    assert related.value == 1
    assert related.p == pytest.approx(2 / 24, abs=0.008)


def test_an_order_that_hangs_on_one_task_has_no_interval():
    related = relate_gain(tasks([0.5, 0, 0, 0, 0, 0], [6, 5, 4, 3, 2, 1]))
    assert related.value > 0.6
    assert [related.low, related.high] == [-1, 1]  # a third of the resamples lack the task that has synergy


def test_tasks_made_from_one_modality_and_without_a_score_do_not_count():
    table = tasks([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], [1, 2, 3, 4, 5, 9, np.nan])
    table.loc[4, ["made_from", "gain"]] = ["expression", -3]
    found = relate_gain(table)
    assert [found.value, found.n] == [1, 5]
    assert relate_gain(table, leave_out=()).n == 6


def test_what_cannot_be_ordered_is_said():
    with pytest.raises(InputError, match="3 tasks"):
        relate_gain(tasks([1, 2, 3], [1, 2, 3]))
    with pytest.raises(InputError, match="the same for all"):
        relate_gain(tasks([1, 2, 3, 4], [1, 1, 1, 1]))
    with pytest.raises(InputError, match="twice"):
        relate_gain(pd.concat([tasks([1, 2, 3, 4], [1, 2, 3, 4])] * 2))


def test_synergy_stands_beside_the_gain_of_the_same_field_and_of_other_data_sets_at_their_widest():
    gains = pd.DataFrame({"task": ["niche"] * 3 + ["bacteria", "domain", "bulb"], "made_from": "neighbours",
                          "field_um": [100, 200, 600, 110, 110, 100],
                          "gain": 0.1, "gain_low": 0.0, "gain_high": 0.2})  # fmt: skip
    tables = {
        field: pd.DataFrame({"task": names, "sis": field / 1000, "sis_low": 0.0, "sis_high": 1.0})
        for field, names in ((100, ["niche"]), (600, ["niche", "bacteria", "bulb"]))
    }
    found = beside_sis(gains, tables)
    assert found[["task", "field_um", "sis"]].to_numpy().tolist() == [
        ["niche", 100, 0.1], ["niche", 600, 0.6], ["bacteria", 110, 0.6], ["bulb", 100, 0.6],
    ]  # fmt: skip
    assert (found["gain"] == 0.1).all()
