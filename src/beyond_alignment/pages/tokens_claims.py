"""Claims of the page on token-level fusion, with verdicts by rules that are stated in each record."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.benchmark.verdicts import NOT_REPLICATED, REPLICATED, UNTESTABLE, a_gain
from beyond_alignment.tokens.arm_scores import best_arm, fusion_and_rival, gain, mean_spearman, names_of
from beyond_alignment.tokens.comparison import MIN_MAE, REFERENCES, RIDGE

PAR = 0.02
"""Largest difference in mean Spearman that counts as on par."""
SIMULATED = "simulated tissue, {n_donors} donors, default dials"
HOW = "Student interval over folds (donors), seeds averaged within a fold"

Record = dict[str, object]


def token_claims(
    scores: pd.DataFrame, clips: pd.DataFrame, genes: pd.DataFrame, clusters: pd.DataFrame
) -> list[Record]:
    """Return the records of M1 to M9.

    ``scores`` has a row an arm, reference, fold and seed on tissue with default dials; ``clips`` a row a granularity,
    fold and seed; ``genes`` a row a gene with ``largest_r``, ``core_share`` and ``spearman`` of the best fusion;
    ``clusters`` a row an arm and fold, of the best arm of each kind.
    """
    common = {
        "n": int(scores.groupby(["arm", "seed"])["n_tiles"].sum().iloc[0]),
        "seeds": int(scores.loc[~scores["arm"].isin(REFERENCES), "seed"].nunique()),
        "data": SIMULATED.format(n_donors=scores["fold"].nunique()),
    }
    simulated = {"data": common["data"], "verdict": UNTESTABLE}
    return [
        {**common, **_fusion(scores)},
        {**common, **_granularity(scores)},
        {**common, **_timing(scores)},
        {
            "claim": "M4",
            "measured": "not run: pathology models are trained on real tissue, and a simulated picture is none",
            **simulated,
        },
        {**common, **_best_gene(scores)},
        {**common, **_retrieval(clips)},
        {**common, **_redundancy(genes)},
        {**common, **_clusters(scores, clusters)},
        {
            "claim": "M9",
            "measured": "not run: simulated genes are not in the vocabulary of Geneformer",
            **simulated,
        },
    ]


def _fusion(scores: pd.DataFrame) -> Record:
    """Return M1: the best fusion against the better unimodal arm, the linear reading of core counts included."""
    expression, morphology = (best_arm(scores, kind) for kind in ("expression", "morphology"))
    means, (fused, rival) = mean_spearman(scores), fusion_and_rival(scores)
    mean, low, high = gain(scores, fused, rival)
    verdict = a_gain(low, high)
    if verdict == NOT_REPLICATED and means[expression] < means[RIDGE]:
        verdict = UNTESTABLE
    return {
        "claim": "M1",
        "measured": f"{names_of(fused, rival)}: {mean:+.3f} mean Spearman ({HOW}); best fusion {means[fused]:.3f}, "
        f"best morphology {means[morphology]:.3f}, best expression network {means[expression]:.3f}, ridge on core "
        f"counts {means[RIDGE]:.3f}; replicated where the interval over the best of these is above zero, untested "
        "where it is below and the expression network stays below the ridge, which says that networks were trained too "
        "little. "
        "Each best is so on the tiles that are scored",
        "value": mean,
        "interval": (low, high),
        "verdict": verdict,
    }


def _granularity(scores: pd.DataFrame) -> Record:
    """Return M2: late fusions with tokens less the same with tile vectors."""
    pairs = [
        (name, name.replace("_token_", "_tile_")) for name in scores["arm"].unique() if name.startswith("late_")
        and "_token_" in name and name.replace("_token_", "_tile_") in set(scores["arm"])
    ]  # fmt: skip
    if not pairs:
        return {"claim": "M2", "measured": "no late fusion was run with both granularities", "verdict": UNTESTABLE}
    wide = scores.groupby(["fold", "arm"])["spearman"].mean().unstack("arm")
    each = np.stack([wide[token] - wide[tile] for token, tile in pairs])  # (pair, fold)
    mean, low, high = mean_interval(each.mean(axis=0))
    alone = gain(scores, "expression_token", "expression_tile")[0]
    return {
        "claim": "M2",
        "measured": f"late fusion with tokens less tile vectors: {mean:+.3f} mean Spearman over {len(pairs)} pairs of "
        f"arms ({HOW}); expression alone {alone:+.3f}; replicated where the interval is above zero",
        "value": mean,
        "interval": (low, high),
        "verdict": a_gain(low, high),
    }


def _timing(scores: pd.DataFrame) -> Record:
    """Return M3: the best late fusion with tokens less the best early fusion.

    A training whose best epoch is not known counts as one that had not ended.
    """
    late, early = best_arm(scores, "late token"), best_arm(scores, "early")
    mean, low, high = gain(scores, late, early)
    worse = early if mean > 0 else late
    trainings = scores[scores["arm"] == worse]
    runs, cut = len(trainings), len(trainings) - int((trainings["best_epoch"] < trainings["epochs"]).sum())
    inside, apart = low > -PAR and high < PAR, (low > 0 or high < 0) and abs(mean) > PAR
    verdict = REPLICATED if inside else NOT_REPLICATED if apart and 2 * cut < runs else UNTESTABLE
    return {
        "claim": "M3",
        "measured": f"{names_of(late, early)}: {mean:+.3f} mean Spearman ({HOW}); of the {runs} trainings of the worse "
        f"{cut} had not ended; replicated where the interval lies within {PAR} of zero, not replicated where it "
        "excludes zero and the mean is further away, unless half or more of the trainings of the worse had their best "
        "epoch at the end",
        "value": mean,
        "interval": (low, high),
        "verdict": verdict,
    }


def _best_gene(scores: pd.DataFrame) -> Record:
    """Return M5: expression alone is no better than Min-MAE, and morphology alone is below it."""
    expression, morphology = (best_arm(scores, kind) for kind in ("expression", "morphology"))
    mean, low, high = gain(scores, expression, MIN_MAE)
    below = gain(scores, morphology, MIN_MAE)
    refuted, shown = low > 0 or below[1] > 0, high < PAR and below[2] < 0
    verdict = NOT_REPLICATED if refuted else REPLICATED if shown else UNTESTABLE
    return {
        "claim": "M5",
        "measured": f"{names_of(expression, MIN_MAE)}: {mean:+.3f} mean Spearman ({HOW}); best morphology less Min-MAE "
        f"{below[0]:+.3f} ({below[1]:+.3f} to {below[2]:+.3f}); replicated where the first interval ends below {PAR} "
        "and the second below zero, not replicated where either begins above zero",
        "value": mean,
        "interval": (low, high),
        "verdict": verdict,
    }


def _retrieval(table: pd.DataFrame) -> Record:
    """Return M6: recall at 1 with tokens less that with tile vectors."""
    if table.empty or table["granularity"].nunique() < 2:
        return {"claim": "M6", "measured": "CLIP was not trained with both granularities", "verdict": UNTESTABLE}
    wide = table.groupby(["fold", "granularity"])[["recall_1", "recall_5"]].mean().unstack("granularity")
    mean, low, high = mean_interval(wide["recall_1", "token"] - wide["recall_1", "tile"])
    at_1, at_5 = (wide[name].mean() for name in ("recall_1", "recall_5"))
    return {
        "claim": "M6",
        "measured": f"recall@1 with tokens {at_1['token']:.3f}, with tile vectors {at_1['tile']:.3f}; recall@5 "
        f"{at_5['token']:.3f} and {at_5['tile']:.3f}; chance {table['chance_1'].iloc[0]:.3f} and "
        f"{table['chance_5'].iloc[0]:.3f}; both directions averaged ({HOW}); replicated where the interval of the "
        "difference at 1 is above zero",
        "value": mean,
        "interval": (low, high),
        "seeds": int(table["seed"].nunique()),
        "verdict": a_gain(low, high),
    }


def _redundancy(table: pd.DataFrame) -> Record:
    """Return M7: rank correlation over genes of what is predicted with the largest correlation with one core gene."""
    rho = float(spearmanr(table["largest_r"], table["spearman"]).statistic)
    low, high = _fisher(rho, len(table))
    truth = float(spearmanr(table["core_share"], table["spearman"]).statistic)
    return {
        "claim": "M7",
        "measured": f"rank correlation over genes of predictability with the largest correlation with one core gene "
        f"{rho:.2f}, with the true share that core genes show {truth:.2f} (Fisher's interval over genes); replicated "
        "where the interval is above zero",
        "value": rho,
        "interval": (low, high),
        "n": len(table),
        "verdict": a_gain(low, high),
    }


def _clusters(scores: pd.DataFrame, clusters: pd.DataFrame) -> Record:
    """Return M8: clusters of the best fusion more coherent than those of expression, finer than those of morphology."""
    fused, expression, morphology = (best_arm(scores, kind) for kind in ("fusion", "expression", "morphology"))
    wide = clusters.groupby(["fold", "arm"])[["coherence", "molecular"]].mean().unstack("arm")
    space, genes = wide["coherence"], wide["molecular"]
    mean, low, high = mean_interval(space[fused] - space[expression])
    fine = mean_interval(genes[fused] - genes[morphology])
    refuted, shown = high < 0 or fine[2] < 0, low > 0 and fine[1] > 0
    return {
        "claim": "M8",
        "measured": "Leiden clusters by tile embedding, as many for each arm; spatial coherence: "
        f"{names_of(fused, expression)} {mean:+.3f}; share of the variance of add-on genes between clusters: "
        f"{names_of(fused, morphology)} {fine[0]:+.3f} ({fine[1]:+.3f} to {fine[2]:+.3f}; Student intervals over "
        "donors, one seed); replicated where both intervals are above zero, not replicated where one is below",
        "value": mean,
        "interval": (low, high),
        "seeds": 1,
        "verdict": NOT_REPLICATED if refuted else REPLICATED if shown else UNTESTABLE,
    }


def _fisher(rho: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a rank correlation (Bonett and Wright 2000)."""
    half = 1.959964 * np.sqrt((1 + rho**2 / 2) / (n - 3))
    z = np.arctanh(np.clip(rho, -0.999999, 0.999999))
    return float(np.tanh(z - half)), float(np.tanh(z + half))
