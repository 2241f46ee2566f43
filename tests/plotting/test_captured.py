"""The figures of what methods capture, and of synergy beside gain, draw what the tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.plotting import plot_captured

TERMS = ("redundancy", "synergy_additive", "synergy_interaction")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def summary():
    """All methods: redundancy is kept, interaction by those of its family alone, and one loses more than the term."""
    rows = []
    for name, record in FUSION_METHODS.items():
        for term in TERMS:
            share = float(term == "redundancy" or record.family == "interaction")
            share = -0.6 if (name, term) == ("cca", "synergy_additive") else share
            for probe in ("linear", "mlp"):
                rows.append({"method": name, "family": record.family, "setting": "alone", "term": term, "probe": probe}
                            | {"share": share, "low": share - 0.02, "high": share + 0.02})  # fmt: skip
    return pd.DataFrame(rows)


def relation_table():
    rng = np.random.default_rng(0)
    sis, gain = rng.random(9) * 0.6, rng.random(9) * 0.1
    made_from = ["neighbours"] * 5 + ["independent", "expression", "morphology", "simulated"]
    table = pd.DataFrame({"task": [f"task_{i}" for i in range(9)], "sis": sis, "gain": gain, "made_from": made_from})
    for score in ("sis", "gain"):
        table[f"{score}_low"], table[f"{score}_high"] = table[score] - 0.02, table[score] + 0.03
    return table


def test_every_method_has_a_row_beside_its_family_and_probes_differ_in_filling():
    figure = plot_captured(summary())
    axes = figure.axes
    assert [ax.get_title(loc="left") or ax.get_title() for ax in axes] == [
        "redundancy R",
        "synergy, additive",
        "synergy, interaction",
    ]
    names = [label.get_text() for label in axes[0].get_yticklabels()]
    assert sorted(names) == sorted(record.label for record in FUSION_METHODS.values())
    family = {record.label: record.family for record in FUSION_METHODS.values()}
    changes = sum(a != b for a, b in zip([family[n] for n in names], [family[n] for n in names[1:]], strict=False))
    assert changes == len(set(family.values())) - 1
    marks = [line for line in axes[2].lines if len(line.get_xdata()) == 1]
    hollow = [line for line in marks if to_hex(line.get_markerfacecolor()) == "#ffffff"]
    assert [len(marks), len(hollow)] == [58, 29]
    assert sum(line.get_xdata()[0] == 1 for line in marks) == 2 * sum(f == "interaction" for f in family.values())


def test_a_share_below_the_axis_is_an_arrow_at_its_edge():
    (left,) = {line.get_xdata()[0] for line in plot_captured(summary()).axes[1].lines if line.get_marker() == "<"}
    assert left == pytest.approx(-0.14)
