"""Gains of fine-tuning are differences over the same seeds, and their figure shows each of them once."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from beyond_alignment.benchmark.finetuning_gains import finetuning_gains
from beyond_alignment.errors import InputError
from beyond_alignment.plotting import plot_finetuning_gains


def drawn(*, n_seeds=4):
    """Scores of two tasks and an amount; the fine-tuned morphology expert has two seeds, and none on the amount."""
    rng = np.random.default_rng(0)
    rows = []
    for task, metric in (("cell_type", "macro_f1"), ("bacteria", "macro_f1"), ("composition", "r2")):
        methods = {"expression_only": 4, "morphology_only": 4, "finetuned_expression": n_seeds}
        methods |= {} if metric == "r2" else {"finetuned_morphology": 2}
        rows += [
            {"task": task, "split": "donor", "method": method, "seed": seed, "fraction": fraction}
            | {"n_train": 100 * fraction, "metric": metric, "value": rng.normal()}
            for method, seeds in methods.items()
            for seed in range(seeds)
            for fraction in (0.1, 1.0)
        ]
    return pd.DataFrame(rows)


def test_a_gain_is_the_paired_difference_and_its_interval_that_of_the_paired_t_test():
    points = drawn()
    found = finetuning_gains(points)
    assert len(found) == 2 * (3 + 2)
    for row in found.itertuples():
        mine = points[(points.task == row.task) & (points.fraction == row.fraction)].set_index(["method", "seed"]).value
        tuned, frozen = mine[f"finetuned_{row.modality}"], mine[f"{row.modality}_only"]
        frozen = frozen[tuned.index]
        assert row.n_seeds == len(tuned) == (4 if row.modality == "expression" else 2)
        interval = ttest_rel(tuned, frozen).confidence_interval()
        expected = (tuned.mean() - frozen.mean(), *interval, 100 * row.fraction)
        np.testing.assert_allclose((row.gain, row.low, row.high, row.n_train), expected)
        np.testing.assert_allclose(row.fine_tuned - row.frozen, row.gain)


def test_one_seed_has_no_width_and_nothing_fine_tuned_no_rows():
    found = finetuning_gains(drawn(n_seeds=1))
    alone = found[found["modality"] == "expression"]
    assert (alone["low"] == alone["gain"]).all()
    assert not found.isna().any(axis=None)
    points = drawn()
    assert finetuning_gains(points[points["method"].str.endswith("_only")]).empty


def test_a_fine_tuned_expert_without_a_frozen_one_is_refused():
    points = drawn()
    with pytest.raises(InputError, match="finetuned_morphology of cell_type has no morphology_only"):
        finetuning_gains(points[(points["method"] != "morphology_only") | (points["seed"] > 0)])


def test_each_gain_is_drawn_once_and_labels_say_what_they_were_made_from():
    found = finetuning_gains(drawn())
    gains = found[found["metric"] == "macro_f1"]
    figure = plot_finetuning_gains(gains, label="gain in macro-F1")
    ax = figure.axes[0]
    marks = sorted(line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1)
    np.testing.assert_allclose(marks, sorted(gains["gain"]))
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["cell type\n(from expression)", "bacteria\n(independent)"]
    with pytest.raises(InputError, match="2 metrics"):
        plot_finetuning_gains(found, label="gain")
