"""Runs arms over folds: predictions out of fold, resumable at every epoch and at every fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.benchmark.store import PointStore
from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device, resolve_device
from beyond_alignment.tokens.arm_availability import missing
from beyond_alignment.tokens.arm_inputs import Embeddings, FrozenCache, prepare, tiles_digest
from beyond_alignment.tokens.arms import Arm, get_arm
from beyond_alignment.tokens.epoch_bar import EpochBar
from beyond_alignment.tokens.fold import CURVE, FoldRows, check_folds, fold_point
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.tiles import Tiles


@dataclass(frozen=True)
class ArmResult:
    """One arm over all folds.

    Attributes
    ----------
    arm
        The arm.
    seed
        Of weights, order of tiles and dropout.
    predictions
        log1p counts of the add-on genes out of fold (tile, gene); NaN in the rows of tiles that no fold tests.
    embeddings
        What the linear head reads of the tested tiles of each fold (test tile, feature); each fold has its network.
    fold
        Fold that predicted a tile (tile,), -1 where none did.
    curves
        A row for each epoch of each fold: epoch, learning_rate, loss, validation.
    best_epochs
        Epoch whose weights were kept in each fold.
    trained_parameters
        Parameters that are fitted to the targets.
    parameters
        Parameters of its network; those of a vision network whose embedding is cached are not counted.
    vision
        What its vision network is, in words.
    seconds
        Of training and prediction, all folds.
    """

    arm: Arm
    seed: int
    predictions: NDArray[np.float32]
    embeddings: tuple[NDArray[np.float32], ...]
    fold: NDArray[np.int64]
    curves: tuple[tuple[dict[str, float], ...], ...]
    best_epochs: tuple[int, ...]
    trained_parameters: int
    parameters: int
    vision: str
    seconds: float


@dataclass(frozen=True)
class ArmRuns:
    """Several arms.

    Attributes
    ----------
    results
        By name of the arm, for each seed.
    missing
        What each arm that could not run lacks, by name.
    """

    results: Mapping[str, tuple[ArmResult, ...]]
    missing: Mapping[str, tuple[str, ...]]


def run_arm(
    tiles: Tiles,
    arm: str | Arm,
    folds: Sequence[FoldRows],
    *,
    seed: int = 0,
    device: Device = "auto",
    store: PointStore | None = None,
    plan: TokenPlan | None = None,
    embeddings: Embeddings | None = None,
    cached: bool = True,
    progress: bool = True,
) -> ArmResult:
    """Train an arm on each fold and predict the tiles that it did not see.

    Parameters
    ----------
    tiles
        The data set.
    arm
        Name in ``ARMS``, or an arm of your own.
    folds
        Tiles to train on, to stop by and to predict; no tile may be predicted twice.
    seed
        Of weights, order of tiles and dropout.
    device
        Where to train.
    store
        Keeps each finished fold, and a checkpoint after each epoch until then; None keeps nothing.
    plan
        Settings; the defaults when None.
    embeddings
        Of frozen experts, by name (tile, feature).
    cached
        As in :func:`prepare`.
    progress
        Show the time to go.

    Raises
    ------
    InputError
        If the arm is unknown or lacks something, folds overlap, or a loss is not finite.
    """
    used = plan or TokenPlan()
    cache = FrozenCache(tiles, device=resolve_device(device), plan=used, given=embeddings)
    chosen = get_arm(arm)
    with EpochBar(progress) as bar:
        return _run(cache, chosen, folds, seed, store or PointStore(None), tiles_digest(tiles), cached, bar)


def run_arms(
    tiles: Tiles,
    arms: Sequence[str | Arm],
    folds: Sequence[FoldRows],
    *,
    seeds: Sequence[int] = (0,),
    device: Device = "auto",
    store: PointStore | None = None,
    plan: TokenPlan | None = None,
    embeddings: Embeddings | None = None,
    progress: bool = True,
) -> ArmRuns:
    """Run arms one after the other; one that cannot run here is named with what it lacks.

    Parameters
    ----------
    tiles, folds, device, store, plan, embeddings, progress
        As in :func:`run_arm`.
    arms
        Names in ``ARMS``, or arms of your own.
    seeds
        Each arm runs once for each.

    Raises
    ------
    InputError
        As :func:`run_arm`, but for arms that lack something.
    """
    cache = FrozenCache(tiles, device=resolve_device(device), plan=plan or TokenPlan(), given=embeddings)
    digest, points = tiles_digest(tiles), store or PointStore(None)
    results: dict[str, tuple[ArmResult, ...]] = {}
    lacking: dict[str, tuple[str, ...]] = {}
    with EpochBar(progress) as bar:
        for arm in map(get_arm, arms):
            if without := missing(arm, given=cache.given):
                lacking[arm.name] = without
                continue
            try:
                cache.check(arm)
            except InputError as error:  # the hub, which is not asked before, does not give it
                lacking[arm.name] = (str(error),)
                continue
            results[arm.name] = tuple(_run(cache, arm, folds, seed, points, digest, True, bar) for seed in seeds)
    return ArmRuns(results, lacking)


def _run(
    cache: FrozenCache,
    arm: Arm,
    folds: Sequence[FoldRows],
    seed: int,
    store: PointStore,
    digest: str,
    cached: bool,
    bar: EpochBar,
) -> ArmResult:
    """Run one arm with one seed over all folds."""
    tiles = cache.tiles
    check_folds(folds, len(tiles))
    inputs = prepare(arm, cache, seed=seed, cached=cached)
    bar.start(f"{arm.label}, seed {seed}", folds=len(folds), epochs=cache.plan.epochs)
    points = [
        fold_point(inputs, cache, rows, seed=seed, store=store, digest=digest, tell=bar.epoch_of(number))
        for number, rows in enumerate(folds)
    ]
    bar.finish()
    predictions = np.full(tiles.targets.shape, np.nan, dtype=np.float32)
    fold = np.full(len(tiles), -1, dtype=np.int64)
    for number, (rows, point) in enumerate(zip(folds, points, strict=True)):
        predictions[rows.test], fold[rows.test] = point["predictions"], number
    return ArmResult(
        arm=arm,
        seed=seed,
        predictions=predictions,
        embeddings=tuple(point["embeddings"] for point in points),
        fold=fold,
        curves=tuple(
            tuple(dict(zip(CURVE, map(float, row), strict=True)) for row in point["curve"]) for point in points
        ),
        best_epochs=tuple(int(point["best_epoch"]) for point in points),
        trained_parameters=int(points[0]["trained_parameters"]),
        parameters=int(points[0]["parameters"]),
        vision=inputs.vision,
        seconds=float(sum(point["seconds"] for point in points)),
    )
