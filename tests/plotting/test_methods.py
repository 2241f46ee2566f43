"""A method looks the same on every page, and the leads are drawn as the table says."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.plotting import plot_lead_map
from beyond_alignment.plotting.method_leads import plot_method_leads
from beyond_alignment.plotting.methods import FAMILIES, family_handles, family_of, method_colour, method_marker
from beyond_alignment.plotting.style import METHOD_COLOURS, METHOD_MARKERS


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_a_method_with_a_colour_of_its_own_keeps_it_and_no_family_takes_it():
    for name, colour in METHOD_COLOURS.items():
        assert (method_colour(name), method_marker(name)) == (colour, METHOD_MARKERS[name])
    others = {method_colour(name) for name in FUSION_METHODS if name not in METHOD_COLOURS}
    assert others.isdisjoint(METHOD_COLOURS.values())
    shapes = {method_marker(name) for name in FUSION_METHODS if name not in METHOD_COLOURS}
    assert shapes.isdisjoint(METHOD_MARKERS.values())


def test_every_family_is_drawn_and_those_that_share_a_colour_have_a_key():
    assert {record.family for record in FUSION_METHODS.values()} == set(FAMILIES)
    labels = [handle.get_label() for handle in family_handles(FUSION_METHODS)]
    assert labels == ["alignment", "interaction", "pattern", "own"]
    assert family_handles(["concat"]) == []
    assert family_of("not registered") == ""


def comparisons():
    methods = ["concat", "late_average", "clip", "comm", "synergy_max"]
    rows = [
        {"task": task, "made_from": "expression", "method": method, "metric": "macro_f1", "expert": "expression_only"}
        | {"difference": value, "low": value - 0.03, "high": value + 0.02}
        | {"verdict": "better" if value > 0.05 else "not told apart"}
        for task, start in (("cell_type", 0.0), ("region", 0.04))
        for method, value in zip(methods, start + np.linspace(-0.04, 0.04, 5), strict=True)
    ]
    return pd.DataFrame(rows).drop(index=7)  # one method failed on one task


def test_leads_stand_where_the_table_says_in_one_order_and_only_proven_ones_are_filled():
    table = comparisons()
    figure = plot_method_leads(table)
    first, second = figure.axes
    names = [label.get_text() for label in first.get_yticklabels()]
    order = table.groupby("method")["difference"].mean().sort_values(ascending=False).index
    assert names == [FUSION_METHODS[name].label for name in order]
    for ax, task in ((first, "cell_type"), (second, "region")):
        part = table[table["task"] == task].set_index("method")
        marks = {order[int(line.get_ydata()[0])]: line for line in ax.lines if len(line.get_xdata()) == 1}
        for name, row in part.iterrows():
            assert marks[name].get_xdata()[0] == pytest.approx(row["difference"])
            filled = to_hex(marks[name].get_markerfacecolor()) != "#ffffff"
            assert filled == (row["verdict"] == "better")


def test_the_map_shows_every_difference_in_its_place_and_dots_what_is_told_apart():
    table = comparisons()
    table.loc[table["task"] == "region", "made_from"] = "morphology"
    ax = plot_lead_map(table).axes[0]
    rows, columns = ([label.get_text() for label in labels] for labels in (ax.get_yticklabels(), ax.get_xticklabels()))
    assert rows == ["region", "cell type"]  # by what the labels were made from
    values = np.ma.filled(ax.collections[0].get_array().astype(float), np.nan).reshape(len(rows), len(columns))
    dots = {tuple(np.floor(place).astype(int)) for place in ax.collections[1].get_offsets()}
    missing = 0
    for r, task in enumerate(("region", "cell_type")):
        part = table[table["task"] == task].set_index("method")["difference"]
        for c, label in enumerate(columns):
            method = next(name for name in FUSION_METHODS if FUSION_METHODS[name].label == label)
            missing += method not in part.index
            assert (method in part.index) == np.isfinite(values[r, c])
            if method in part.index:
                assert values[r, c] == pytest.approx(part[method])
                assert ((c, r) in dots) == (part[method] > 0.05)
    assert missing == 1
