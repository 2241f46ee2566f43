"""Verdicts on what kinds of methods capture and gain, from known truth and from the grid on tissue."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from beyond_alignment.benchmark.captured_bars import MOST
from beyond_alignment.benchmark.scoreboard import UNIMODAL
from beyond_alignment.benchmark.verdicts import LONG_RANGE, NOT_REPLICATED, REPLICATED, UNTESTABLE
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.resampling import percentile_interval

LITTLE = 0.1
Record = dict[str, object]


def captured_claims(shares: pd.DataFrame) -> list[Record]:
    """Return the records of the claims on what is captured of known truth: B7, B8 and B16.

    Shares are those of the interaction part of synergy, of an exclusive-or, that a linear probe tells: the additive
    part is what side-by-side bits give to any reader that adds, so that it tells no methods apart. Much is nine tenths,
    little under one tenth; a mean share decides.

    Parameters
    ----------
    shares
        From :func:`beyond_alignment.benchmark.summarise_captured`.
    """
    here = shares[(shares["setting"] == "alone") & (shares["probe"] == "linear")].dropna(subset=["share"])
    synergy = here[here["term"] == "synergy_interaction"].set_index("method")
    redundancy = here[here["term"] == "redundancy"].set_index("method")
    n, seeds = int(here["n"].max()), int(here["n_seeds"].max())
    common: Record = {"n": n, "seeds": seeds, "data": "known truth: Gaussian embeddings of the bits of one label"}
    aligned = [name for name in _of(synergy, "alignment") if name in redundancy.index]
    return [
        _alignment_claim(synergy.loc[aligned], redundancy.loc[aligned]) | common,
        _order_claim(synergy) | common,
        _comm_claim(synergy) | common,
    ]


def _of(table: pd.DataFrame, family: str) -> list[str]:
    """Return the methods of a family that a table indexed by method holds."""
    return [str(name) for name in table.index if FUSION_METHODS[str(name)].family == family]


def _alignment_claim(synergy: pd.DataFrame, redundancy: pd.DataFrame) -> Record:
    """Return the record of B7."""
    if synergy.empty:
        return _absent("B7", "no alignment method was run")
    most = synergy.sort_values("share").iloc[-1]
    kept = int((redundancy["share"] >= MOST).sum())
    holds = kept == len(redundancy) and most["share"] < LITTLE
    return {
        "claim": "B7",
        "measured": f"{kept} of {len(redundancy)} alignment methods keep nine tenths of pure redundancy; of an "
        f"exclusive-or the most that one keeps is {most['share']:.2f} ({most.name})",
        "value": float(most["share"]),
        "interval": (float(most["low"]), float(most["high"])),
        "verdict": REPLICATED if holds else NOT_REPLICATED,
    }


def _order_claim(synergy: pd.DataFrame) -> Record:
    """Return the record of B8: interaction much, gated units part, concatenation little, late average none."""
    interaction = [name for name in _of(synergy, "interaction") if name not in ("gated", "comm")]
    wanted = ("gated", "concat", "late_average")
    if not interaction or any(name not in synergy.index for name in wanted):
        return _absent("B8", "not every method that it names was run")
    least = synergy.loc[interaction].sort_values("share").iloc[0]
    gated, concat, late = (float(synergy.loc[name, "share"]) for name in wanted)
    much = int((synergy.loc[interaction, "share"] >= MOST).sum())
    holds = much == len(interaction) and LITTLE <= gated < MOST and concat < LITTLE and late < LITTLE
    return {
        "claim": "B8",
        "measured": f"of an exclusive-or {much} of {len(interaction)} interaction methods keep nine tenths (least "
        f"{least['share']:.2f}, {least.name}), gated units {gated:.2f}, concatenation {concat:.2f}, late average "
        f"{late:.2f}",
        "value": float(least["share"]),
        "interval": (float(least["low"]), float(least["high"])),
        "verdict": REPLICATED if holds else NOT_REPLICATED,
    }


def _comm_claim(synergy: pd.DataFrame) -> Record:
    """Return the record of B16: CoMM above every other method that sees no labels, intervals apart."""
    others = [name for name in _of(synergy, "alignment") if FUSION_METHODS[name].trained_on == "pairs"]
    if "comm" not in synergy.index or not others:
        return _absent("B16", "CoMM or what it is compared with was not run")
    comm, best = synergy.loc["comm"], synergy.loc[others].sort_values("share").iloc[-1]
    low, high = float(comm["low"] - best["high"]), float(comm["high"] - best["low"])
    return {
        "claim": "B16",
        "measured": f"of an exclusive-or CoMM keeps {comm['share']:.2f}, the best of {len(others)} other methods that "
        f"see no labels {best['share']:.2f} ({best.name})",
        "value": float(comm["share"] - best["share"]),
        "interval": (low, high),
        "verdict": REPLICATED if low > 0 else NOT_REPLICATED if high < 0 else UNTESTABLE,
    }


def family_draws(scores: pd.DataFrame, draws: NDArray[np.float64], tasks: Sequence[str]) -> pd.DataFrame:
    """Return the better expert and the mean of two families of methods on each task, draw by draw.

    Parameters
    ----------
    scores
        (task, method), from :func:`beyond_alignment.benchmark.score_draws`.
    draws
        The same of bootstrap replicates (replicate, task, method).
    tasks
        Name of each row's task.

    Returns
    -------
    pandas.DataFrame
        One row a task and draw: task, draw (0 for the sample), expert, interaction, alignment, and the numbers of
        methods n_interaction and n_alignment.
    """
    every = np.concatenate([scores.to_numpy()[None], draws])  # (1 + replicate, task, method)
    experts = every[..., [scores.columns.get_loc(name) for name in UNIMODAL]].max(axis=2)
    columns: dict[str, object] = {"task": np.tile(tasks, len(every)), "draw": np.repeat(range(len(every)), len(tasks))}
    columns["expert"] = experts.ravel()
    for family in ("interaction", "alignment"):
        members = [i for i, name in enumerate(scores.columns) if FUSION_METHODS[str(name)].family == family]
        columns[family] = np.nanmean(every[..., members], axis=2).ravel() if members else np.nan
        columns[f"n_{family}"] = len(members)
    return pd.DataFrame(columns)


def niche_claim(table: pd.DataFrame) -> Record:
    """Return the record of B3: on niche and domain labels interaction methods gain, and gain more than alignment.

    Parameters
    ----------
    table
        From :func:`family_draws`.
    """
    used = table[table["task"].isin(LONG_RANGE)]
    if used.empty or not used[["n_interaction", "n_alignment"]].to_numpy().all():
        return _absent("B3", "no niche or domain label was run with both families")
    means = used.groupby("draw")[["expert", "interaction", "alignment"]].mean()
    gain = (means["interaction"] - means["expert"]).to_numpy()
    contrast = (means["interaction"] - means["alignment"]).to_numpy()
    low, high = percentile_interval(gain[1:])
    apart = percentile_interval(contrast[1:])
    verdict = UNTESTABLE
    if min(low, apart[0]) > 0:
        verdict = REPLICATED
    elif min(high, apart[1]) < 0:
        verdict = NOT_REPLICATED
    n_tasks, first = used["task"].nunique(), used.iloc[0]
    return {
        "claim": "B3",
        "measured": f"mean of {first['n_interaction']} interaction methods on {n_tasks} niche and domain tasks "
        f"{gain[0]:+.3f} against the better expert; {contrast[0]:+.3f} ({apart[0]:.3f} to {apart[1]:.3f}) against the "
        f"mean of {first['n_alignment']} alignment methods",
        "value": float(gain[0]),
        "interval": (low, high),
        "n": n_tasks,
        "data": "HER2ST and MOB under their main splits, tiles resampled; n counts tasks",
        "verdict": verdict,
    }


def _absent(claim: str, why: str) -> Record:
    """Return the record of a claim that a run says nothing about."""
    return {"claim": claim, "measured": why, "data": "not measured", "verdict": UNTESTABLE}
