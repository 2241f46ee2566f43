"""Claims of the scaling page, with verdicts by rules that are stated in each record: B10, B11, B13 and B14."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from beyond_alignment.benchmark.curve_finetuned import FINETUNED, SURROGATES
from beyond_alignment.benchmark.decision_table import DecisionTable
from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.benchmark.regret import judge_rules
from beyond_alignment.benchmark.scaling_report import area_under_curve, leading_by_score
from beyond_alignment.benchmark.scoreboard import UNIMODAL
from beyond_alignment.benchmark.verdicts import NOT_REPLICATED, REPLICATED, UNTESTABLE, a_gain
from beyond_alignment.information.advice import FEW_PAIRS, HIGH_SIS, MATERIAL

Record = dict[str, object]
FIXED = ("always unimodal", "always concatenate", "best on average")
TISSUE = "HER2ST (8 sections, 3 donors), MOB (4 sections, 2 mice), colorectal Visium (1 section)"
SIMULATED = "simulated tissue of 10 donors"


def scaling_claims(
    points: pd.DataFrame, crossings: pd.DataFrame, table: DecisionTable, *, real: Sequence[str], seed: int = 0
) -> list[Record]:
    """Return the records of the claims that the scaling page tests: B10, B11, B13 and B14.

    Parameters
    ----------
    points
        From :func:`~beyond_alignment.benchmark.curve_points`.
    crossings
        From :func:`~beyond_alignment.benchmark.crossings_by_sis`.
    table
        From :func:`~beyond_alignment.benchmark.points_to_judge`.
    real
        Names of the tasks that are not simulated.
    seed
        Of the resamples of tasks.
    """
    seeds = int(points["seed"].nunique())
    tissue = points[points["task"].isin(real)]
    both = TISSUE if set(table.tasks) <= set(real) else f"{TISSUE}; {SIMULATED}"
    return [
        finetuning_claim(tissue, data=TISSUE),
        crossover_claim(crossings, seeds=seeds, data=both),
        rule_claim(table, seeds=seeds, data=both, seed=seed),
        unfreezing_claim(tissue, data=TISSUE),
    ]


def finetuning_claim(points: pd.DataFrame, *, data: str) -> Record:
    """Return the record of B10: fine-tuning the dominant expert needs the fewest samples.

    The dominant expert of a task is the better frozen one by its area under the curve, score over log n. Its fine-tuned
    form is compared in that area with the best other method of the task, by the mean over seeds, which favours the
    other a little.

    Parameters
    ----------
    points
        From :func:`~beyond_alignment.benchmark.curve_points`, of standard tasks.
    data
        What they ran on.
    """
    areas = area_under_curve(points, metric="macro_f1")
    tuned = [name for name in (*FINETUNED, *SURROGATES) if name in set(areas["method"])]
    own = tuple(name for name in tuned if name in FINETUNED) or tuple(tuned)
    if not own:
        return {"claim": "B10", "measured": "no expert is fine-tuned here", "data": data, "verdict": UNTESTABLE}
    leads, words, seeds = [], [], set()
    for task, part in areas.groupby("task", sort=False):
        wide = part.pivot_table(index="seed", columns="method", values="area")
        dominant = str(wide[[name for name in UNIMODAL if name in wide]].mean().idxmax())
        mine = [name for name in own if name in wide and name.split("_")[1] == dominant.split("_")[0]]
        if not mine:
            continue
        others = wide.drop(columns=[name for name in tuned if name in wide]).dropna()
        paired = wide[mine[0]].dropna().index.intersection(others.index)
        seeds |= set(paired)
        best = str(others.loc[paired].mean().idxmax())
        leads.append(float((wide.loc[paired, mine[0]] - others.loc[paired, best]).mean()))
        words.append(f"{task} {leads[-1]:+.3f} against {best}")
    if not leads:
        absent = "the dominant expert of no task is fine-tuned here"
        return {"claim": "B10", "measured": absent, "data": data, "verdict": UNTESTABLE}
    mean, low, high = mean_interval(leads)
    real = set(own) <= set(FINETUNED)
    what = "fine-tuned from raw input" if real else "a perceptron over its frozen embedding, a surrogate"
    enough = real and len(leads) > 1
    return {
        "claim": "B10",
        "measured": f"macro_f1 over log n of the dominant expert, {what}, less that of the best other method: "
        f"{'; '.join(words)}; replicated where the interval over tasks lies above zero, not replicated below it"
        + ("" if real else "; a surrogate cannot decide it"),
        "value": mean,
        "interval": (low, high),
        "n": len(leads),
        "seeds": len(seeds),
        "data": data,
        "verdict": a_gain(low, high) if enough else UNTESTABLE,
    }


def crossover_claim(crossings: pd.DataFrame, *, seeds: int, data: str) -> Record:
    """Return the record of B11: fusion overtakes above a number of pairs, and only where synergy is high.

    Parameters
    ----------
    crossings
        From :func:`~beyond_alignment.benchmark.crossings_by_sis`.
    seeds
        Behind each curve.
    data
        What they ran on.
    """
    tasks = leading_by_score(crossings)
    high, low = tasks[tasks["side"] == "high"], tasks[tasks["side"] == "low"]
    if high.empty or low.empty:
        absent = f"needs tasks up to an SIS of {MATERIAL} and from {HIGH_SIS} on; there are {len(low)} and {len(high)}"
        return {"claim": "B11", "measured": absent, "seeds": seeds, "data": data, "verdict": UNTESTABLE}
    against = int(low["leads"].sum())
    share = binomtest(against, len(low)).proportion_ci(method="wilson")
    first = high["first"].dropna()
    within = first[first > 0]
    shown = len(within) == len(high) and len(low) > 1
    return {
        "claim": "B11",
        "measured": f"some fusion leads the best unimodal path at the end of the range on {against} of {len(low)} "
        f"tasks of an SIS up to {MATERIAL}, and on {len(first)} of {len(high)} of an SIS from {HIGH_SIS} on, "
        f"{len(first) - len(within)} of them from the smallest size on"
        + (f", the others from {within.min():,.0f} to {within.max():,.0f} pairs on" if len(within) else "")
        + "; not replicated where a fusion leads on one of the former (one-sided 2.5 % over its fusions), replicated "
        "where on none of them and on all of the latter it comes to lead above the smallest size",
        "value": against / len(low),
        "interval": (float(share.low), float(share.high)),
        "n": len(tasks),
        "seeds": seeds,
        "data": data,
        "verdict": NOT_REPLICATED if against else REPLICATED if shown else UNTESTABLE,
    }


def rule_claim(table: DecisionTable, *, seeds: int, data: str, seed: int = 0) -> Record:
    """Return the record of B13: the published rule by SIS and pairs loses less than any fixed choice.

    Parameters
    ----------
    table
        From :func:`~beyond_alignment.benchmark.points_to_judge`.
    seeds
        Behind each point.
    data
        What they ran on.
    seed
        Of the resamples of tasks.
    """
    summary = judge_rules(table, seed=seed).summary.set_index("rule")
    best = str(summary.loc[list(FIXED), "regret"].idxmin())
    saved = judge_rules(table, reference=best, seed=seed).summary.set_index("rule").loc["published rule"]
    advised = np.unique(table.n[(table.feature("sis") >= HIGH_SIS) & (table.n >= FEW_PAIRS)])
    if not len(advised):
        absent = f"no task of an SIS from {HIGH_SIS} on has {FEW_PAIRS:,} pairs: the rule is always unimodal here"
        return {"claim": "B13", "measured": absent, "seeds": seeds, "data": data, "verdict": UNTESTABLE}
    return {
        "claim": "B13",
        "measured": f"regret of the published rule {summary.loc['published rule', 'regret']:.3f}, of the best fixed "
        f"choice ({best}) {summary.loc[best, 'regret']:.3f}, each task held out; saved against that choice "
        f"{saved['saved']:+.3f}; replicated where the interval over tasks lies above zero, not replicated below it",
        "value": float(saved["saved"]),
        "interval": (float(saved["saved_low"]), float(saved["saved_high"])),
        "n": len(table.tasks),
        "seeds": seeds,
        "data": data,
        "verdict": a_gain(float(saved["saved_low"]), float(saved["saved_high"])),
    }


def unfreezing_claim(points: pd.DataFrame, *, data: str) -> Record:
    """Return the record of B14, of which this page sees a part: what fine-tuning adds to frozen features.

    Parameters
    ----------
    points
        From :func:`~beyond_alignment.benchmark.curve_points`.
    data
        What they ran on.
    """
    rows = points[(points["metric"] == "macro_f1") & points["task"].isin(_tasks_of(points, FINETUNED))]
    changes = []
    for modality in ("expression", "morphology"):
        wide = rows[rows["method"].isin([f"finetuned_{modality}", f"{modality}_only"])].pivot_table(
            index=["task", "fraction", "seed"], columns="method", values="value"
        )
        if f"finetuned_{modality}" in wide and f"{modality}_only" in wide:
            changes.append((wide[f"finetuned_{modality}"] - wide[f"{modality}_only"]).dropna())
    said = "no encoder is trained through an alignment objective here"
    if not changes:
        return {"claim": "B14", "measured": said, "data": data, "verdict": UNTESTABLE}
    change = pd.concat(changes)
    by_size = change.groupby("fraction").mean()
    least, most = by_size.index.min(), by_size.index.max()
    return {
        "claim": "B14",
        "measured": f"{said}; fine-tuning single experts on labels changes macro_f1 against the benchmark's frozen "
        f"expert by {by_size[least]:+.3f} with {100 * least:g} % of the training spots and {by_size[most]:+.3f} with "
        f"{100 * most:g} %",
        "n": len(_tasks_of(points, FINETUNED)),
        "seeds": change.index.get_level_values("seed").nunique(),
        "data": data,
        "verdict": UNTESTABLE,
    }


def _tasks_of(points: pd.DataFrame, methods: Sequence[str]) -> set[str]:
    """Return the tasks that one of some methods has points of."""
    return set(points.loc[points["method"].isin(methods), "task"])
