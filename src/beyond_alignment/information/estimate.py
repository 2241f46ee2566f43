"""The decomposition estimated from paired samples: one frame for every estimator, with its intervals and its null."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from scipy.stats import t as student

from beyond_alignment.checks import whole_number
from beyond_alignment.errors import InputError
from beyond_alignment.information.comparison import gaussian, kmeans
from beyond_alignment.information.exact import PID, JointInformations
from beyond_alignment.information.informations import BOTH, FIRST, INTERACTION, SECOND, UNION, Informations
from beyond_alignment.information.neural import batch
from beyond_alignment.information.posterior import posterior
from beyond_alignment.information.samples import Samples, check_samples
from beyond_alignment.resampling import Units, default_units, percentile_interval, reflected_p_value, unit_weights

PARTS = (
    "redundancy",
    "unique1",
    "unique2",
    "synergy",
    "synergy_additive",
    "synergy_interaction",
    "sis",
    "sis_interaction",
)
"""Of the coherent decomposition, none negative."""
MEASURED = ("I1", "I2", "I12", "synergy_raw")
"""As measured, of either sign."""
TERMS = (*PARTS, *MEASURED)
"""Every quantity that carries an interval and a null; bits, but for the two scores."""

NEGLIGIBLE = 0.01
"""Share of the total information below which a draw of the synergy counts as none."""
LEAST_BITS = 1e-4
FEWEST_REPLICATES = 20
NULL_REPLICATES = 20
ALPHA = 0.05
FEWEST_GROUPS = 6
FEW_SAMPLES, FEW_GROUPS = 1000, 5
CONFOUNDED = 0.1
"""Share of I12 from which what the group tells of the label is named."""
SEEN_IN = 5
"""Samples of a class from which it counts as living in a group."""
DIFFERENCE = 0.01

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PIDEstimator:
    """An estimator: its name, a title for tables, its function, where it is from, whether it splits the synergy."""

    name: str
    title: str
    function: Callable[..., Informations]
    source: str
    estimates_parts: bool


PID_ESTIMATORS: Mapping[str, PIDEstimator] = MappingProxyType(
    {
        one.name: one
        for one in (
            PIDEstimator("posterior", "cross-fitted posteriors", posterior, "this project", True),
            PIDEstimator("cvx", "k-means and counts", kmeans, "Liang et al. 2023 (CVX)", True),
            PIDEstimator("batch", "neural coupling", batch, "Liang et al. 2023 (BATCH)", False),
            PIDEstimator("gaussian", "jointly Gaussian", gaussian, "Barrett 2015; Venkatesh et al. 2023", False),
        )
    }
)
"""Name -> estimator."""


@dataclass(frozen=True)
class PIDEstimate:
    """Decomposition estimated from paired samples, with its uncertainty and its null.

    Where groups were given, every quantity is conditional on the group: the mean over groups, weighted by their
    samples, of the decomposition of p(x1, x2, y | group).

    Attributes
    ----------
    pid
        Coherent point estimate, bits: no term is negative, and they add up. Where the joint model tells less than the
        two sources must tell together, its synergy is 0; what was measured is in the next two.
    mutual_information
        I1, I2 and I12 as measured, bits: corrected for what samples exaggerate and for what is still to be learnt, and
        of either sign.
    synergy_raw
        I12 less the union information as measured, bits; below 0 where the joint model tells less than it must.
    sis
        S / I12, without unit; None where it is not determined, because I12 does not exceed its null, or because the
        intervals of I1, I2 and I12 all reach 0.
    intervals
        Term -> (low, high), for every one of `TERMS`, over blocks, groups or samples: see `resampled`.
    group_intervals
        The same over groups, where there are six or more, else empty: what another set of groups would have shown
        with the same models (delete-one jackknife, Student's t).
    null
        The same terms (refit, term) from full refits with labels shuffled within groups, or over all samples without
        groups. Empty where `n_null` was 0: there is no null then.
    group_information
        I(group; Y), bits: what the group alone tells, which no other number here contains; 0 without groups.
    p_information
        Share of null refits with an I12 as large, the estimate counted among them; NaN without a null.
    p_synergy, p_interaction
        Share of draws in which the synergy, or its interaction part, is below 1 % of the total; NaN where the method
        does not estimate it.
    warnings
        What a reader must know before trusting the answer; empty where nothing speaks against it.
    method
        Name of the estimator.
    n, n_groups
        Samples, and groups (0 where none were given).
    resampled
        What the bootstrap drew: ``block``, ``group`` or ``sample``.
    classes
        Names of the target's classes.
    n_bootstrap
        Bootstrap replicates.
    level
        Coverage of the intervals.
    replicates
        Bootstrap replicates (replicate, term), for tests that compare tasks.
    """

    pid: PID
    mutual_information: JointInformations
    synergy_raw: float
    sis: float | None
    intervals: Mapping[str, tuple[float, float]]
    group_intervals: Mapping[str, tuple[float, float]]
    null: pd.DataFrame
    group_information: float
    p_information: float
    p_synergy: float
    p_interaction: float
    warnings: tuple[str, ...]
    method: str
    n: int
    n_groups: int
    resampled: str
    classes: tuple[str, ...]
    n_bootstrap: int
    level: float
    replicates: pd.DataFrame

    def value(self, term: str) -> float:
        """Return the estimate of one of `TERMS`; `sis` is that of `pid`, determined or not."""
        measured = {"synergy_raw": self.synergy_raw} | {
            name: getattr(self.mutual_information, name) for name in ("I1", "I2", "I12")
        }
        return float(measured[term] if term in measured else getattr(self.pid, term))

    def table(self) -> pd.DataFrame:
        """Return one row a term: term, value, low, high, mean and largest of its null; bits, but for the scores."""
        rows = []
        for term, (low, high) in self.intervals.items():
            null = {"null": float(self.null[term].mean()), "null_most": float(self.null[term].max())}
            rows.append({"term": term, "value": self.value(term), "low": low, "high": high} | null)
        return pd.DataFrame(rows)


def estimate_pid(
    x1: ArrayLike,
    x2: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    blocks: ArrayLike | None = None,
    method: str = "posterior",
    n_null: int = 19,
    n_bootstrap: int = 200,
    level: float = 0.95,
    seed: int = 0,
    progress: bool = False,
    **options: Any,
) -> PIDEstimate:
    """Estimate what two sources tell about a target, apart and together, from paired samples.

    Parameters
    ----------
    x1, x2
        Sources (sample, feature); memory-mapped arrays are streamed.
    y
        Classes (sample,), or what `check_samples` makes into classes.
    groups
        Group of each sample (sample,), for instance its donor: held out whole, and conditioned on, so that a source
        which names the group and says nothing within it tells 0 bits.
    blocks
        Block of each sample (sample,), for instance its tile of tissue: drawn whole by the bootstrap, and kept whole
        by the folds where there are no groups. Without blocks ten groups or more are drawn whole, else single samples.
    method
        One of `PID_ESTIMATORS`.
    n_null
        Full refits with shuffled labels, which cost as much as the estimate each; 0 for none.
    n_bootstrap
        Replicates, 20 or more.
    level
        Coverage of the intervals.
    seed
        Of everything that is drawn.
    progress
        Show progress, with the time to go, on stderr.
    options
        Of the method: ``posterior`` takes `n_folds` and `device`; ``batch`` and ``gaussian`` take `n_components`,
        ``cvx`` that and `n_clusters`.

    Returns
    -------
    The decomposition in bits, with intervals, null, p-values and warnings.

    Raises
    ------
    InputError
        There is no estimator of that name, or the samples cannot be estimated from: one sentence says why.
    """
    if method not in PID_ESTIMATORS:
        raise InputError(f"There is no estimator {method!r}; choose one of {', '.join(PID_ESTIMATORS)}.")
    n_bootstrap = whole_number(n_bootstrap, "n_bootstrap", least=FEWEST_REPLICATES)
    n_null, seed = whole_number(n_null, "n_null", least=0), whole_number(seed, "seed", least=0)
    if "device" in options:
        options["device"] = _device(options["device"])
    samples = check_samples(x1, x2, y, groups, blocks=blocks, seed=seed)
    units = default_units(samples.groups, samples.blocks, samples.n)
    weights = unit_weights(units.n_units, n_bootstrap=n_bootstrap, seed=seed)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not progress, transient=True) as bar:
        job = bar.add_task(
            f"decomposition of {samples.n} samples, {n_null} refits with shuffled labels", total=1 + n_null
        )
        if method == "posterior":
            options["advance"] = partial(bar.advance, job)
        run = partial(PID_ESTIMATORS[method].function, units=units, **options)
        found = run(samples, weights=weights, seed=seed)
        null = []
        for refit in range(1, n_null + 1):
            shuffled = shuffle_within(samples, seed=seed + refit)
            null.append(run(shuffled, weights=weights[:NULL_REPLICATES], seed=seed + refit).values[:1])
            if method != "posterior":
                bar.advance(job)
    nulls = _terms(np.concatenate(null)) if null else pd.DataFrame(columns=list(TERMS), dtype=np.float64)
    return _estimate(found, samples, units, nulls, method=method, level=level)


def shuffle_within(samples: Samples, *, seed: int) -> Samples:
    """Return the samples with their labels shuffled within groups, or over all where there are none."""
    rng = np.random.default_rng([seed, 0x5EED])
    groups, codes = samples.group_codes, samples.codes.copy()
    numbers = None if samples.numbers is None else samples.numbers.copy()
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        moved = rng.permutation(rows)
        codes[rows] = samples.codes[moved]
        if numbers is not None and samples.numbers is not None:
            numbers[rows] = samples.numbers[moved]
    return replace(samples, codes=codes, numbers=numbers)


def _device(name: str) -> torch.device:
    """Return the device of a name."""
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"There is no device {name!r}; choose auto, cpu or cuda.")
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise InputError("The device cuda was asked for and torch finds no GPU; choose auto or cpu.")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def _terms(values: Floats) -> pd.DataFrame:
    """Return all `TERMS` of informations (row, information).

    Estimated informations need not allow a decomposition. For the coherent parts the union information is brought
    between the larger single information and the sum of both, and I12 up to it, which clips every part at 0.
    """
    raw = values.T
    first, second = np.maximum(raw[FIRST], 0), np.maximum(raw[SECOND], 0)
    union = np.clip(raw[UNION], np.maximum(first, second), first + second)
    synergy = np.maximum(raw[BOTH] - union, 0)
    both = union + synergy
    interaction = np.clip(raw[INTERACTION], 0, synergy)
    columns = (first + second - union, union - second, union - first, synergy, synergy - interaction, interaction)
    shares = [np.divide(part, both, out=np.zeros_like(both), where=both > 0) for part in (synergy, interaction)]
    measured = (raw[FIRST], raw[SECOND], raw[BOTH], raw[BOTH] - raw[UNION])
    return pd.DataFrame(dict(zip(TERMS, (*columns, *shares, *measured), strict=True)))


def _estimate(
    found: Informations, samples: Samples, units: Units, null: pd.DataFrame, *, method: str, level: float
) -> PIDEstimate:
    """Make the informations of a sample, its replicates and its null into an estimate."""
    table = _terms(found.values)
    replicates = table.iloc[1:].reset_index(drop=True)
    p_information = float("nan")
    if len(null):
        p_information = float((1 + (null["I12"] >= table.at[0, "I12"]).sum()) / (1 + len(null)))
    apart = [FIRST, SECOND, BOTH]
    if found.reflected:
        least = np.array(
            [_interval(found.values[1:, c], found.values[0, c], 1 - (1 - level) / 3, True)[0] for c in apart]
        )
    else:
        least = np.quantile(found.values[1:][:, apart], (1 - level) / 6, axis=0)  # three looks share the error of one
    nothing = bool((least <= LEAST_BITS).all())
    intervals = {name: _interval(replicates[name], table.at[0, name], level, found.reflected) for name in TERMS}
    if nothing:
        table.loc[0, ["synergy", "synergy_additive", "synergy_interaction"]] = 0.0
        intervals |= {"sis": (0.0, 1.0), "sis_interaction": (0.0, 1.0)}
    elif (least[:2] <= LEAST_BITS).all():
        intervals["sis"] = intervals["sis"][0], 1.0
    point = table.iloc[0]
    pid = PID(**{name: float(point[name]) for name in PARTS[:6]}, gap=found.gap)
    told = JointInformations(*(float(point[name]) for name in ("I1", "I2", "I12")))
    like_null = p_information > max(ALPHA, 1 / (1 + len(null)))  # False without a null, whose p-value is NaN
    if found.reflected:
        p_values = [reflected_p_value(replicates[name], point[name]) for name in ("synergy", "synergy_interaction")]
    else:
        p_values = [_p_value(replicates[name].to_numpy()) for name in ("sis", "sis_interaction")]
    if not PID_ESTIMATORS[method].estimates_parts:
        p_values[1] = float("nan")
    said = _warnings(samples, told, float(point["synergy_raw"]), like_null=like_null, nothing=nothing)
    return PIDEstimate(
        pid=pid,
        mutual_information=told,
        synergy_raw=float(point["synergy_raw"]),
        sis=None if like_null or nothing else pid.sis,
        intervals=MappingProxyType({name: _holding(name, bounds, point) for name, bounds in intervals.items()}),
        group_intervals=MappingProxyType(_over_groups(found, samples, level)),
        null=null,
        group_information=samples.group_information,
        p_information=p_information,
        p_synergy=p_values[0],
        p_interaction=p_values[1],
        warnings=(*samples.notes, *filter(None, [units.warning]), *said, *found.warnings),
        method=method,
        n=samples.n,
        n_groups=samples.n_groups,
        resampled=units.kind,
        classes=samples.classes,
        n_bootstrap=len(replicates),
        level=level,
        replicates=replicates,
    )


def _interval(values: ArrayLike, estimate: float, level: float, reflected: bool) -> tuple[float, float]:
    """Return the interval of a term from its draws, or from replicates reflected in the estimate; NaN for NaN.

    The replicates of a biased estimate are biased twice: their own percentiles would lie on the wrong side (Davison &
    Hinkley 1997, section 5.2).
    """
    if np.isnan(estimate):
        return float("nan"), float("nan")
    low, high = percentile_interval(values, level)
    return (2 * estimate - high, 2 * estimate - low) if reflected else (low, high)


def _holding(name: str, bounds: tuple[float, float], point: pd.Series) -> tuple[float, float]:
    """Widen an interval to hold the estimate, and that of a synergy to 0 where what it leaves out is negligible."""
    low, high = min(bounds[0], float(point[name])), max(bounds[1], float(point[name]))
    if name in MEASURED or np.isnan(low):
        return low, high
    most = 1.0 if name.startswith("sis") else np.inf
    low, high = max(low, 0.0), min(high, most)
    total = float(point[list(PARTS[:4])].sum())
    least = NEGLIGIBLE * (1.0 if name.startswith("sis") else total)
    return 0.0 if name.startswith(("sis", "synergy")) and low < least else low, high


def _p_value(draws: Floats) -> float:
    """Return the share of draws with a negligible share of synergy, the estimate counted among them."""
    return float((1 + (draws <= NEGLIGIBLE).sum()) / (1 + len(draws)))


def _over_groups(found: Informations, samples: Samples, level: float) -> dict[str, tuple[float, float]]:
    """Return intervals over groups: the jackknife of the weighted mean of their informations."""
    if found.by_group is None or samples.n_groups < FEWEST_GROUPS:
        return {}
    sizes = np.bincount(samples.group_codes)[:, None].astype(np.float64)
    weighted = sizes * found.by_group
    without = (weighted.sum(axis=0) - weighted) / (sizes.sum() - sizes)
    shift = found.values[0] - weighted.sum(axis=0) / sizes.sum()
    table, point = _terms(without + shift), _terms(found.values[:1]).iloc[0]
    n = len(sizes)
    error = np.sqrt((n - 1) / n * ((table - table.mean()) ** 2).sum())
    reach = float(student.ppf((1 + level) / 2, n - 1)) * error
    return {t: _holding(t, (float(point[t] - reach[t]), float(point[t] + reach[t])), point) for t in TERMS}


def _warnings(
    samples: Samples, told: JointInformations, synergy_raw: float, *, like_null: bool, nothing: bool
) -> list[str]:
    """Say what a reader must know before trusting the numbers."""
    found = []
    if like_null:
        found.append("SIS is not determined: the joint model tells no more than with shuffled labels (its null).")
    elif nothing:
        found.append("The two sources tell nothing certain about the target, so SIS has nothing to be a share of.")
    best = max(told.I1, told.I2)
    if best - DIFFERENCE > told.I12:
        found.append(
            f"The joint model tells less ({told.I12:.2f} bits) than one source alone ({best:.2f}), so the synergy as"
            f" measured is {synergy_raw:.2f} bits: it has not learnt what it could."
        )
    if samples.group_information > CONFOUNDED * max(told.I12, 0.0):
        found.append(
            f"The group alone tells {samples.group_information:.2f} bits about the label, beside {told.I12:.2f} bits"
            " that both sources tell within groups: part of what a model scores over all groups may be the group."
        )
    if samples.groups is not None:
        counts = np.zeros((samples.n_groups, len(samples.classes)), dtype=np.int64)
        np.add.at(counts, (samples.groups, samples.codes), 1)
        lives = (counts >= SEEN_IN).sum(axis=0)
        few = [
            f"{samples.classes[c]!r} ({lives[c]} of {samples.n_groups})"
            for c in np.flatnonzero(2 * lives < samples.n_groups)
        ]
        if few:
            found.append(
                f"Classes live in few groups: {', '.join(few[:5])}; what is said of them rests on those groups."
            )
    if samples.n < FEW_SAMPLES:
        found.append(f"There are {samples.n} samples; below {FEW_SAMPLES} interactions are mostly missed.")
    if 0 < samples.n_groups < FEW_GROUPS:
        found.append(f"There are {samples.n_groups} groups: the answer holds for them, not for the next one.")
    return found
