"""The diagram says what the ranks say: rows in order, the length of the difference, bars that join equals."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from beyond_alignment.benchmark.ranks import rank_methods
from beyond_alignment.plotting import plot_ranks


@pytest.fixture
def ranks():
    rng = np.random.default_rng(0)
    methods = ["expression_only", "morphology_only", "concat", "late_average", *(f"method_{i}" for i in range(25))]
    scores = pd.DataFrame(rng.normal(size=(12, 29)) + np.linspace(0, 4, 29), columns=methods)
    return rank_methods(scores, draws=scores.to_numpy() + rng.normal(size=(50, 12, 29)) * 0.3)


def test_rows_are_methods_from_the_best_and_the_bar_is_as_long_as_the_difference(ranks):
    figure = plot_ranks(ranks)
    (ax,) = figure.axes
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert len(names) == 29
    assert names[-1] == "morphology only"
    assert names[0].startswith("method ")
    lengths = [np.ptp(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2]
    assert ranks.critical_difference == pytest.approx(max(lengths))
    assert ax.get_xlim()[1] >= ranks.table["mean_rank"].min() + ranks.critical_difference
    plt.close(figure)


def test_each_set_has_a_bar_and_bars_of_a_column_do_not_touch(ranks):
    figure = plot_ranks(ranks)
    (ax,) = figure.axes
    bars = [line for line in ax.lines if line.get_linewidth() == 3]
    assert len(bars) == len(ranks.groups)
    columns = {}
    for bar in bars:
        columns.setdefault(round(bar.get_xdata()[0], 4), []).append(tuple(bar.get_ydata()))
    for spans in columns.values():
        spans.sort()
        assert all(first[1] < second[0] for first, second in pairwise(spans))
    plt.close(figure)
