"""Perfect readers of simulated nuclei gain what the dials put there, and features are counts of the cells in a tile."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.tokens import only, outer_folds, simulated_tiles
from beyond_alignment.tokens.comparison import RIDGE, fold_scores, reference_predictions
from beyond_alignment.tokens.drawn_nuclei import (
    BOTH,
    IN_PATCH,
    IN_TILE,
    NUCLEI,
    drawn_nuclei,
    gain_of_perfect_readers,
    marker_balance,
    perfect_readings,
)

SMALL = {"n_donors": 3, "size_um": 640.0, "microns_per_pixel": 4.0, "input_px": 32, "patch_px": 8, "seed": 5}


def scored(*programmes, **dials):
    """Return the scores of perfect readers and of the ridge on core counts, with some programmes alone."""
    made = simulated_tiles(dials=replace(only(*programmes), **dials), **SMALL)
    folds = outer_folds(made.tiles, n_folds=3)
    rows = []
    for fold, perfect in zip(folds, perfect_readings(made, folds), strict=True):
        found = perfect | {RIDGE: reference_predictions(made.tiles, fold)[RIDGE]}
        scores = ({"arm": arm, "fold": fold.name, **fold_scores(made.tiles, fold, p)[0]} for arm, p in found.items())
        rows += scores
    return made, pd.DataFrame(rows)


@pytest.fixture(scope="module")
def redundant():
    return scored("redundant")


def test_redundant_genes_leave_nothing_to_gain(redundant):
    mean, _, high = gain_of_perfect_readers(redundant[1])
    assert abs(mean) < 0.02
    assert high < 0.04


def test_unique_parts_are_gained_without_meeting():
    _, scores = scored("unique_expression", "unique_morphology")
    means = scores.groupby("arm")["spearman"].mean()
    assert means[BOTH] > max(means[NUCLEI], means[RIDGE]) + 0.08
    assert means[IN_PATCH] == pytest.approx(means[BOTH], abs=0.02)


def test_an_exclusive_or_is_gained_only_where_transcripts_meet_nuclei():
    _, scores = scored("synergy")
    means = scores.groupby("arm")["spearman"].mean()
    assert means[BOTH] < max(means[NUCLEI], means[RIDGE]) + 0.05
    assert means[IN_PATCH] > means[BOTH] + 0.1
    assert means[IN_PATCH] > means[IN_TILE] + 0.1


def share_met_in_the_tile(co_location_um):
    """Return how much of what meeting in each patch gains, meeting in the tile gains."""
    means = scored("synergy", co_location_um=co_location_um)[1].groupby("arm")["spearman"].mean()
    return (means[IN_TILE] - means[BOTH]) / (means[IN_PATCH] - means[BOTH])


def test_the_tile_is_the_more_enough_the_slower_the_pair_changes():
    fast, slow = share_met_in_the_tile(20.0), share_met_in_the_tile(500.0)
    assert fast < 0.4
    assert slow > fast + 0.15


def test_nuclei_are_those_whose_centre_the_tile_holds(redundant):
    made, _ = redundant
    features, chromatin = drawn_nuclei(made)
    row, field = 7, made.fields[0]
    corner = made.tiles.centre_um[row] - made.tiles.tile_um / 2
    x, y = (field.cells[name].to_numpy() - start for name, start in zip(("x_um", "y_um"), corner, strict=True))
    width = made.tiles.tile_um
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < width)
    assert features[row, :-3].sum() == inside.sum()
    assert chromatin[row].sum() == pytest.approx(features[row, -1])
    log = np.log(field.cells["chromatin"])
    own = (log - log.groupby(field.cells["cell_type"], observed=True).transform("mean")).to_numpy()
    first = inside & (x < width / made.tiles.grid) & (y < width / made.tiles.grid)
    assert chromatin[row, 0] == pytest.approx(own[first].sum())


def test_the_balance_of_markers_is_a_share_of_their_transcripts(redundant):
    made, _ = redundant
    balance = marker_balance(made)
    assert balance.shape == (len(made.tiles), made.tiles.n_patches)
    assert np.abs(balance).max() <= 1.0
    signs = np.sign(made.fields[0].core["pair_expression"].to_numpy())
    counts = made.tiles.core[:1].toarray()[0]
    whole = marker_balance(made, whole_tile=True)
    assert np.ptp(whole, axis=1).max() == 0.0
    assert balance[0, 0] == pytest.approx((counts @ signs) / max(counts @ np.abs(signs), 1.0))
