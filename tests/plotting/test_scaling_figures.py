"""Figures of the scaling page: every row is drawn where it belongs."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.plotting import plot_crossings, plot_regret, plot_training_budgets
from beyond_alignment.plotting.scaling import plot_size_cost

CROSSINGS = pd.DataFrame(
    {"task": ["high", "low"], "method": "low_rank", "sis": [0.5, 0.0], "n": [300.0, np.nan], "leads": [True, False],
     "outcome": ["crosses", "never within the range"], "smallest": 10.0, "largest": 1000.0}
)  # fmt: skip


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_tasks_stand_in_the_order_of_their_score_and_never_lies_beyond_all_sizes():
    ax = plot_crossings(CROSSINGS).axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["low, SIS 0.00", "high, SIS 0.50"]
    assert ax.yaxis_inverted()
    marks = [line for line in ax.lines if len(line.get_xdata()) == 1]
    places = {round(line.get_ydata()[0]): line.get_xdata()[0] for line in marks}
    assert places[1] == 300
    assert places[0] > 1000
    assert [line.get_markerfacecolor() == "white" for line in marks] == [True, False]
    with pytest.raises(InputError, match="no crossings"):
        plot_crossings(CROSSINGS[:0])


def test_the_rule_of_the_least_regret_is_at_the_top():
    summary = pd.DataFrame({"rule": ["published rule", "always concatenate"], "regret": [0.01, 0.05],
                            "low": [0.0, 0.02], "high": [0.02, 0.08], "worst": [0.03, 0.1]})  # fmt: skip
    ax = plot_regret(summary, label="macro-F1").axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["always concatenate", "published rule"]
    assert "macro-F1" in ax.get_xlabel()


def test_cost_is_drawn_against_size_for_one_number_of_features():
    table = pd.DataFrame({"n": [10, 100], "features_1": 4, "features_2": 2, "method": "concat",
                          "seconds": [1.0, 10.0], "peak_gb": [0.5, 0.6]})  # fmt: skip
    axes = plot_size_cost(table).axes
    assert list(axes[0].lines[0].get_ydata()) == [1.0, 10.0]
    linear = axes[0].lines[-1]
    assert np.diff(np.log(linear.get_ydata())) == pytest.approx(np.diff(np.log(linear.get_xdata())))
    with pytest.raises(InputError, match="several numbers of features"):
        plot_size_cost(pd.concat([table, table.assign(features_1=8)]))


def test_a_budget_is_drawn_at_its_score_with_the_interval_of_its_gain():
    rows = [
        {"task": "xor", "method": method, "n_trials": 4, "steps": steps, "fraction": n / 1000, "n_train": n,
         "base": 0.5, "score": 0.5 + steps / 1000, "gain": steps / 1000, "low": steps / 1000 - 0.1,
         "high": steps / 1000 + 0.1, "n_seeds": 3}
        for method in ("low_rank", "bottleneck") for steps in (200, 400) for n in (100.0, 1000.0)
    ]  # fmt: skip
    gains, best = pd.DataFrame(rows), pd.Series({100.0: 0.4, 1000.0: 0.45})
    figure = plot_training_budgets(gains, common=(1, 200), label="macro-F1", best_path=best)
    first, second = figure.axes
    assert [line.get_ydata()[0] for line in first.lines] == [0.4, 0.5, 0.7, 0.9]
    ends = [bar.get_segments()[0][:, 1] for bar in first.collections]
    assert [list(end) for end in ends] == [pytest.approx([0.6, 0.8]), pytest.approx([0.8, 1.0])]
    assert (first.get_ylabel(), second.get_xlabel()) == ("macro-F1", "paired training spots")
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["best single path", "1 setting, 200 updates", "4 settings, 200 updates", "4 settings, 400 updates"]
    with pytest.raises(InputError, match="Gains of 2 tasks and 2 budgets: pass those of one task"):
        plot_training_budgets(pd.concat([gains, gains.assign(task="and")]), common=(1, 200), label="", best_path=best)
