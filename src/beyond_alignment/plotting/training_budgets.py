"""Figure of one task's learning curves under several budgets of training, a panel a method."""

from typing import Literal

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from beyond_alignment.benchmark.training_budget import BUDGET, Budget, budget_name, of_budget
from beyond_alignment.errors import InputError
from beyond_alignment.plotting.learning_curves import method_styles
from beyond_alignment.plotting.methods import method_label
from beyond_alignment.plotting.style import GREY, INK, panels

DASHES: tuple[Literal["-", "--", "-."], ...] = ("-", "--", "-.")


def plot_training_budgets(gains: pd.DataFrame, *, common: Budget, label: str, best_path: pd.Series) -> Figure:
    """Draw each method's scores under the common budget (dotted, hollow) and the others (filled), one panel a method.

    The interval on a filled mark is that of its gain over the common budget.

    Parameters
    ----------
    gains
        From :func:`beyond_alignment.benchmark.training_budget.budget_gains`, of one task.
    common
        The budget that all methods have.
    label
        Axis label, with the metric.
    best_path
        Score of the best single path by number of training spots, drawn in every panel.

    Raises
    ------
    InputError
        There are no rows, those of several tasks, or more budgets than there are styles of lines.
    """
    budgets: list[Budget] = sorted({(int(n), int(steps)) for n, steps in gains[BUDGET].to_numpy()})
    if gains["task"].nunique() != 1 or len(budgets) > len(DASHES):
        found = f"{gains['task'].nunique()} tasks and {len(budgets)} budgets"
        raise InputError(f"Gains of {found}: pass those of one task and at most {len(DASHES)} budgets.")
    methods = list(dict.fromkeys(gains["method"]))
    most = 2 if len(methods) in (2, 4) else 3
    figure, axes = panels(len(methods), width=3.5, most=most, x_label="paired training spots", y_label=label)
    styles = method_styles(methods)
    for ax, method in zip(axes, methods, strict=True):
        colour, marker = styles[method]
        rows = gains[gains["method"] == method].sort_values("n_train")
        ax.plot(best_path.index, best_path, color=GREY, linewidth=1.2, zorder=1)
        base = rows.drop_duplicates("n_train")
        ax.plot(base["n_train"], base["base"], marker, color=colour, markerfacecolor="white", linestyle=":", zorder=2)
        for budget, dashes in zip(budgets, DASHES, strict=False):
            part = of_budget(rows, budget)
            ax.plot(part["n_train"], part["score"], marker, color=colour, linestyle=dashes, zorder=3)
            ax.vlines(part["n_train"], part["base"] + part["low"], part["base"] + part["high"], color=colour)
        ax.set(xscale="log", title=method_label(method), ylim=(0, 1.05))
    handles = [Line2D([], [], color=GREY, label="best single path")]
    handles.append(Line2D([], [], color=INK, marker="o", markerfacecolor="white", ls=":", label=budget_name(common)))
    for budget, dashes in zip(budgets, DASHES, strict=False):
        handles.append(Line2D([], [], color=INK, marker="o", linestyle=dashes, label=budget_name(budget)))
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure
