"""Claims of the alignment page, with verdicts by rules that are stated in each record."""

import numpy as np
import pandas as pd

from beyond_alignment.benchmark.leads import mean_interval
from beyond_alignment.benchmark.verdicts import NOT_REPLICATED, REPLICATED, UNTESTABLE

KNOWN = "known-truth embeddings (bits along directions in Gaussian noise)"
VIEWS = "Gaussian views of known canonical correlations"
NOTHING, HALF, MOST = 0.05, 0.5, 0.9

Record = dict[str, object]


def alignment_claims(found: pd.DataFrame, shares: pd.DataFrame, hidden: pd.DataFrame) -> list[Record]:
    """Return the records of the claims that the alignment page tests: B4, B5, B6, B7, B14 and B16.

    Parameters
    ----------
    found
        From :func:`beyond_alignment.alignment.found_subspaces`.
    shares
        Of :func:`beyond_alignment.pages.alignment.shares.share`, by the number of pairs.
    hidden
        Of :func:`beyond_alignment.pages.alignment.hidden.hidden`.
    """
    told = shares[shares["probe"] == "mlp"]
    aligned = told[told["head"].isin(["linear", "nonlinear"])]
    return [
        _collapse(aligned),
        _more_data(aligned),
        _info_nce(found),
        _by_method(aligned),
        _unfrozen(hidden, aligned),
        _comm(told),
    ]


def _of(rows: pd.DataFrame, label: str, n: int) -> pd.Series:
    """Return the shares of a label at one size, contender by contender and seed by seed."""
    return rows[(rows["label"] == label) & (rows["n"] == n)]["share"]


def _collapse(aligned: pd.DataFrame) -> Record:
    """Return the record of B4: linear heads hold the redundant label and nothing of the exclusive or."""
    linear = aligned[aligned["head"] == "linear"]
    if linear.empty:
        return {"claim": "B4", "measured": "no linear head was trained", "data": KNOWN, "verdict": UNTESTABLE}
    n = int(linear["n"].max())
    redundant, xor = _of(linear, "redundant", n), _of(linear, "xor", n)
    return {
        "claim": "B4",
        "measured": f"linear heads of as many directions as are shared: {redundant.mean():.2f} of the redundant label "
        f"and {xor.mean():.2f} of the exclusive or, perceptron probe; replicated where every method and seed holds "
        f"{MOST} of the one and less than {NOTHING} of the other",
        "value": float(xor.mean()),
        "interval": _outward(xor),
        "n": n,
        "seeds": int(linear["seed"].nunique()),
        "data": KNOWN,
        "verdict": REPLICATED if redundant.min() > MOST and xor.max() < NOTHING else NOT_REPLICATED,
    }


def _outward(values: pd.Series) -> tuple[float, float]:
    """Return the smallest and largest value, rounded outward to two decimals: a probe tells no finer."""
    return float(np.floor(100 * values.min()) / 100), float(np.ceil(100 * values.max()) / 100)


def _more_data(aligned: pd.DataFrame) -> Record:
    """Return the record of B5: with the largest sample the exclusive or is still not held."""
    few, many = int(aligned["n"].min()), int(aligned["n"].max())
    xor = aligned[aligned["label"] == "xor"].pivot_table(index="n", columns=["contender", "seed"], values="share")
    change = xor.loc[many] - xor.loc[few]
    mean, low, high = mean_interval(change)
    return {
        "claim": "B5",
        "measured": f"from {few:,} to {many:,} pairs the share of the exclusive or that aligned representations hold "
        f"changes by {mean:+.3f}; its largest value at any size is {xor.to_numpy().max():.3f}; replicated "
        f"where every method and seed holds less than {NOTHING} at the largest size",
        "value": mean,
        "interval": (low, high),
        "n": many,
        "seeds": int(aligned["seed"].nunique()),
        "data": KNOWN,
        "verdict": REPLICATED if xor.loc[many].max() < NOTHING else NOT_REPLICATED,
    }


def _info_nce(found: pd.DataFrame) -> Record:
    """Return the record of B6: InfoNCE finds the canonical subspace."""
    n = int(found["n"].max())
    rows = found[(found["n"] == n) & found["method"].isin(["info_nce", "clip"])].set_index("method")
    if len(rows) < 2:
        return {"claim": "B6", "measured": "InfoNCE or CLIP was not trained", "data": VIEWS, "verdict": UNTESTABLE}
    inner, cosine = rows.loc["info_nce"], rows.loc["clip"]
    return {
        "claim": "B6",
        "measured": f"largest principal angle to the canonical subspace of the same {n:,} samples: InfoNCE on inner "
        f"products {inner['angle']:.1f} degrees, CLIP (cosines, learnt temperature) {cosine['angle']:.1f} degrees; "
        "replicated where both are below 5 in every seed",
        "value": float(inner["angle"]),
        "interval": (float(inner["low"]), float(inner["high"])),
        "n": n,
        "seeds": int(inner["n_seeds"]),
        "data": VIEWS,
        "verdict": REPLICATED if inner["found"] and cosine["found"] else NOT_REPLICATED,
    }


def _by_method(aligned: pd.DataFrame) -> Record:
    """Return the record of B7: every alignment method holds redundancy and no synergy."""
    n = int(aligned["n"].max())
    redundant, xor = _of(aligned, "redundant", n), _of(aligned, "xor", n)
    names = sorted(aligned["contender"].unique())
    return {
        "claim": "B7",
        "measured": f"{len(names)} alignment methods, linear and nonlinear heads, perceptron probe: redundant label "
        f"{redundant.min():.2f} to {redundant.max():.2f}, exclusive or at most {xor.max():.3f}; page 03 shows that "
        "with more directions than are shared a perceptron finds it again; replicated where every method and seed "
        f"holds more than {HALF} of the one and less than {NOTHING} of the other",
        "value": float(redundant.mean()),
        "interval": (float(redundant.min()), float(redundant.max())),
        "n": n,
        "seeds": int(aligned["seed"].nunique()),
        "data": KNOWN,
        "verdict": REPLICATED if redundant.min() > HALF and xor.max() < NOTHING else NOT_REPLICATED,
    }


def _unfrozen(hidden: pd.DataFrame, aligned: pd.DataFrame) -> Record:
    """Return the record of B14: what nonlinear heads, a stand-in for trained encoders, find and lose."""
    squares = hidden[hidden["law"] == "squares"].assign(nonlinear=hidden["contender"].str.endswith("_nonlinear"))
    bits = squares.groupby(["nonlinear", "n"])["bits"].mean().unstack("nonlinear")
    if True not in bits or False not in bits:
        return {"claim": "B14", "measured": "no encoder was trained", "data": KNOWN, "verdict": UNTESTABLE}
    few, many = int(bits.index.min()), int(bits.index.max())
    lost = _of(aligned[aligned["head"] == "nonlinear"], "unique1", int(aligned["n"].max()))
    left = f"{lost.mean():.2f}" if len(lost) else "not measured"
    return {
        "claim": "B14",
        "measured": f"small networks stand in for encoders that are trained along: of what two views share as a square "
        f"they find {bits.loc[few, True]:.2f} bits with {few:,} pairs and {bits.loc[many, True]:.2f} with {many:,}, "
        f"linear heads {bits.loc[many, False]:.2f}; what is left of a unique label: {left}. No foundation model was "
        "unfrozen",
        "n": many,
        "seeds": int(hidden["seed"].nunique()),
        "data": KNOWN,
        "verdict": UNTESTABLE,
    }


def _comm(told: pd.DataFrame) -> Record:
    """Return the record of B16: CoMM holds the exclusive or that the other methods without labels lose."""
    comm = told[told["contender"] == "comm"]
    if comm.empty:
        absent = "CoMM was not trained"
        return {"claim": "B16", "measured": absent, "data": KNOWN, "verdict": UNTESTABLE}
    others = told[told["head"].isin(["linear", "nonlinear"]) & (told["label"] == "xor")]
    own = comm[comm["label"] == "xor"]
    worst = own.groupby("n")["share"].min()
    n, means = int(own["n"].max()), own.groupby("n")["share"].mean()
    steady = bool((worst > others.groupby("n")["share"].max().reindex(worst.index).fillna(0) + NOTHING).all())
    return {
        "claim": "B16",
        "measured": f"CoMM, untuned, holds {means.min():.2f} to {means.max():.2f} of the exclusive or over "
        f"{means.index.min():,} to {n:,} pairs (means over seeds), the best other method without labels "
        f"{others['share'].max():.3f}, perceptron probe; replicated where at every size its worst seed is more than "
        f"{NOTHING} above the others",
        "value": float(means[n]),
        "interval": _outward(own[own["n"] == n]["share"]),
        "n": n,
        "seeds": int(comm["seed"].nunique()),
        "data": KNOWN,
        "verdict": REPLICATED if steady else NOT_REPLICATED,
    }
