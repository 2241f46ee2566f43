import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from beyond_alignment.plotting import experts as figures

NAMES = {"colour_100um": "morphology", "mobilenetv2_100um": "morphology", "pca": "expression"}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def scores():
    rows = [
        {"expert": expert, "reads": reads, "task": task, "made_from": made_from, "same_source": reads == made_from}
        | {"value": 0.5, "low": 0.4, "high": 0.6, "chance": 0.3}
        for task, made_from in (("niche", "neighbours"), ("cell_type", "expression"))
        for expert, reads in NAMES.items()
    ]
    return pd.DataFrame(rows[:-1])  # one expert was not scored on one task


def advantage():
    verdicts = ("better", "worse", "not told apart")
    return pd.DataFrame(
        {"expert": "mobilenetv2_100um", "reference": reference, "task": task, "difference": 0.1, "low": 0.0}
        | {"high": 0.2, "verdict": verdict}
        for reference in ("colour_100um", "random_100um")
        for task, verdict in zip(("niche", "cell_type", "all tasks"), verdicts, strict=True)
    )


def genes():
    r = np.linspace(-0.2, 0.6, 8)
    parts = [pd.DataFrame({"expert": e, "fold": f, "gene": [f"G{i}" for i in range(8)], "r": r}) for e in NAMES
             for f in "AB"]  # fmt: skip
    folds = pd.DataFrame({"expert": e, "fold": f, "r": 0.2, "low": 0.1, "high": 0.3} for e in NAMES for f in "AB")
    return figures.plot_genes(pd.concat(parts), folds, label="Pearson r")


def leakage():
    return pd.DataFrame(
        {"expert": e, "reads": r, "donor": d, "value": 0.7, "low": 0.6, "high": 0.8, "chance": c, "n_sections": n}
        for e, r in NAMES.items()
        for d, c, n in (("A", 0.5, 2), ("C", 0.2, 5))
    )


FIGURES = {
    "scores": (lambda: figures.plot_expert_scores(scores(), label="score (95 %)"), "score"),
    "advantage": (lambda: figures.plot_advantage(advantage(), label="difference (95 %)"), "difference"),
    "genes": (genes, "Pearson r"),
    "leakage": (lambda: figures.plot_leakage(leakage()), "balanced accuracy"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_named_rows_and_a_labelled_axis(name):
    draw, label = FIGURES[name]
    figure = draw()
    assert isinstance(figure, Figure)
    figure.canvas.draw()
    assert label in figure.get_supxlabel()
    rows = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert rows
    assert all(rows)


def words(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_marks_are_labelled_where_they_stand():
    assert "donor C (5 sections)" in words(figures.plot_leakage(leakage()))
    assert "G7, G6" in words(genes())


def test_agreement_is_written_in_multiples_of_chance():
    table = pd.DataFrame(
        [[1.0, 0.06, 0.01], [0.06, 1.0, 0.02], [0.01, 0.02, 1.0]], index=list(NAMES), columns=list(NAMES)
    )
    figure = figures.plot_agreement(table, chance=0.005, label="times chance")
    assert words(figure) == ["12×", "2×", "4×"]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["mobilenetv2 100um", "pca"]
    assert "times chance" in figure.axes[-1].get_ylabel()


def test_leakage_is_drawn_as_a_share_of_what_is_possible():
    marks = figures.plot_leakage(leakage()).axes[0].lines
    drawn = {round(float(x), 3) for line in marks for x in line.get_xdata()}
    assert {round((0.7 - 0.5) / 0.5, 3), round((0.7 - 0.2) / 0.8, 3)} <= drawn


def test_a_label_made_from_what_the_expert_reads_is_hollow():
    figure = figures.plot_expert_scores(scores().iloc[[0, 1, 2]].assign(same_source=[False, False, True]), label="x")
    marks = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [mark.get_markerfacecolor() for mark in marks] == [figures.ORANGE, figures.ORANGE, "white"]
