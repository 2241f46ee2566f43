"""The estimator of this project: the decomposition of cross-fitted posteriors, with what the learning curve adds."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from rich.console import Console
from rich.progress import Progress

from beyond_alignment.errors import InputError
from beyond_alignment.information.cross_fitting import cross_fit
from beyond_alignment.information.discrete import JointInformations, class_entropy
from beyond_alignment.information.field_estimate import Informations, terms
from beyond_alignment.information.pid import PID, TERMS, PIDEstimate
from beyond_alignment.information.posterior_tables import COLUMNS, TableInformations, blended, count
from beyond_alignment.information.posterior_warnings import posterior_warnings
from beyond_alignment.information.samples import check_samples
from beyond_alignment.resampling import default_units, percentile_interval, unit_weights

EXTRAPOLATION = 0.5
"""What is still to be learnt, as a share of what the second half of the training samples brought."""
SPURIOUS = 2.0
"""How much more is taken off where an interaction shrinks as samples are added: an error that falls as 1 / n."""
INTERACTION = COLUMNS.index("interaction")
ZERO = 1e-4
"""Bits below which a draw counts as none: the tolerance of the replicates."""
NEGLIGIBLE = 0.01
"""Share of the total information below which a draw of the synergy counts as none."""


def posterior_pid(
    x1: ArrayLike,
    x2: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    blocks: ArrayLike | None = None,
    seed: int = 0,
    n_bootstrap: int = 200,
    level: float = 0.95,
    n_folds: int = 5,
    device: str = "auto",
    progress: bool = False,
) -> PIDEstimate:
    """Estimate the decomposition from cross-fitted posteriors.

    The union information of Bertschinger et al. (2014) depends on a source only through p(y | source), so that a
    posterior is a sufficient statistic of it. Four posteriors are learnt on the other folds and calibrated across them:
    of each source, of an additive model of both, and of an interacting one. All but the additive one are quantised to
    some ten states without a look at the labels; the informations are those of the counts, which need no model to be
    calibrated, and the union information is solved exactly on the counts of the first two. The interaction synergy is
    what the interacting model gains in log-likelihood over the additive one.

    Counts exaggerate: the mean excess of bootstrap replicates over the sample is taken off. Models that have not seen
    enough understate: everything is estimated again with half of the training samples, and half of what the second
    half brought is added (an error that falls as n^-1.6); where the second half made an interaction smaller, twice as
    much is taken off. As nobody knows the true exponent, every bootstrap draw adds a share of its own, exponentially
    distributed with that median, to the single sources, the joint model and the interaction apart, so that the
    intervals hold what is left to be learnt as well as the samples that happened to be drawn. Networks are not trained
    again for a draw.

    Parameters
    ----------
    x1, x2
        Sources (sample, feature); memory-mapped arrays are streamed.
    y
        Classes (sample,), or what `check_samples` makes into classes.
    groups
        Group of each sample (sample,), for instance its donor, which the folds keep whole.
    blocks
        Block of each sample (sample,), for instance its tile of tissue: drawn whole by the bootstrap, and kept whole
        by the folds where there are no groups.
    seed
        Of folds, networks and the bootstrap.
    n_bootstrap
        Replicates.
    level
        Coverage of the intervals.
    n_folds
        Folds.
    device
        ``auto``, ``cpu`` or ``cuda``.
    progress
        Show progress on stderr.

    Returns
    -------
    The estimate. A p-value is the share of draws in which the synergy is below 1 % of the total, and an interval of it
    that begins below that begins at 0. Where neither source
    nor both together tell more than nothing, by the lower ends of their intervals, there is nothing to take a share of:
    synergy and SIS are given as 0, and the interval of SIS is (0, 1); where only both together do, SIS may be 1.

    Raises
    ------
    InputError
        As `check_samples`; or the device is not there, or there are no replicates.
    """
    samples = check_samples(x1, x2, y, groups, blocks=blocks, n_folds=n_folds, seed=seed)
    if n_bootstrap < 20:
        raise InputError(f"{n_bootstrap} bootstrap replicates make no interval; ask for 20 or more.")
    units = default_units(samples.groups, samples.blocks, samples.n)
    with Progress(console=Console(stderr=True), disable=not progress, transient=True) as bar:
        job = bar.add_task(f"posteriors of {samples.n} samples", total=1.0)
        fit = cross_fit(
            samples,
            n_folds=n_folds,
            seed=seed,
            device=_device(device),
            advance=lambda done: bar.advance(job, done),
        )
    calibrated = blended(fit.full, samples.codes, fit.folds)
    weights = unit_weights(units.n_units, n_bootstrap=n_bootstrap, seed=seed)
    full = count(calibrated, samples.codes, units.codes, weights, seed=seed)
    half = count(blended(fit.half, samples.codes, fit.folds), samples.codes, units.codes, weights[:0], seed=seed)
    point, draws = _draws(full, half, highest=class_entropy(samples.codes), seed=seed)
    table = terms(_informations(np.vstack([point, draws]), full.gap))
    replicates = table.iloc[1:].reset_index(drop=True)
    intervals = {name: percentile_interval(replicates[name], level) for name in TERMS}
    least = np.quantile(draws[:, [0, 1, 3]], (1 - level) / 6, axis=0)  # three looks share the error of one
    nothing = bool((least <= ZERO).all())
    if nothing:
        table.loc[0, ["synergy", "synergy_additive", "synergy_interaction"]] = 0.0
        intervals |= {"sis": (0.0, 1.0), "sis_interaction": (0.0, 1.0)}
    elif (least[:2] <= ZERO).all():
        intervals["sis"] = intervals["sis"][0], 1.0
    pid = PID(**{name: float(table.at[0, name]) for name in TERMS[:6]}, gap=full.gap)
    return PIDEstimate(
        pid=pid,
        mutual_information=JointInformations(pid.I1, pid.I2, pid.I12),
        sis=pid.sis,
        intervals={name: _holding(name, bounds, pid) for name, bounds in intervals.items()},
        p_synergy=_p_value(replicates["sis"].to_numpy()),
        p_interaction=_p_value(replicates["sis_interaction"].to_numpy()),
        warnings=posterior_warnings(samples, units, fit, calibrated, full.values[0], half.values[0], nothing=nothing),
        method="posterior",
        n=samples.n,
        n_groups=samples.n_groups,
        classes=samples.classes,
        n_bootstrap=n_bootstrap,
        level=level,
        replicates=replicates,
    )


def _draws(
    full: TableInformations, half: TableInformations, *, highest: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corrected informations (1, information) and draws of what they may be, none above the entropy."""
    found, replicates = full.values[0], full.values[1:]
    centre = 2 * found - replicates.mean(axis=0)
    still = EXTRAPOLATION * (found - half.values[0])
    still[INTERACTION] *= SPURIOUS if still[INTERACTION] < 0 else 1.0
    shares = np.random.default_rng(seed).exponential(1 / np.log(2), (len(replicates), 3))
    shares = shares[:, [0, 0, 0, 1, 2]]  # the single sources and their union, the joint model, the interaction
    draws = centre + replicates - replicates.mean(axis=0) + shares * still
    return np.minimum(centre + still, highest)[None], np.minimum(draws, highest)


def _informations(values: NDArray[np.float64], gap: float) -> Informations:
    """Return rows of informations that :func:`terms` brings into order."""
    first, second, union, joint, interaction = values.T
    return Informations(first, second, joint, union, interaction, gap)


def _holding(name: str, bounds: tuple[float, float], pid: PID) -> tuple[float, float]:
    """Widen an interval to hold the estimate, and that of a synergy to 0 where what it leaves out is negligible."""
    low, high = min(bounds[0], getattr(pid, name)), max(bounds[1], getattr(pid, name))
    least = NEGLIGIBLE * (1.0 if name.startswith("sis") else pid.I12)
    return 0.0 if name.startswith(("sis", "synergy")) and low < least else low, high


def _p_value(draws: NDArray[np.float64]) -> float:
    """Return the share of draws with a negligible share of synergy, the estimate counted among them."""
    return float((1 + (draws <= NEGLIGIBLE).sum()) / (1 + len(draws)))


def _device(name: str) -> torch.device:
    """Return the device of a name."""
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"There is no device {name!r}; choose auto, cpu or cuda.")
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise InputError("The device cuda was asked for and torch finds no GPU; choose auto or cpu.")
    return torch.device("cuda" if there and name != "cpu" else "cpu")
