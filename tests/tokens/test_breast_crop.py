"""The real field, where a mirror of it is at hand."""

import os

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.datasets.transcripts import TranscriptsOnImage
from beyond_alignment.tokens.breast_crop import breast_crop_field, breast_crop_panel, breast_crop_tiles
from beyond_alignment.tokens.folds import disjoint_tiles, outer_folds
from beyond_alignment.tokens.genes import without_controls
from beyond_alignment.tokens.pixels import cut_pixels

MIRROR = os.environ.get("BEYOND_ALIGNMENT_MIRROR")


def test_controls_are_left_out_and_the_panel_stays():
    names = ["ERBB2", "NegControlProbe_00024", "antisense_PROKR2", "BLANK_0102", "CD4", None]
    table = pd.DataFrame({"gene": names * 2, "x": np.arange(12.0), "y": np.arange(12.0)})
    table["gene"] = pd.Categorical(table["gene"], categories=[*names[:-1], "LUM"])
    field = without_controls(TranscriptsOnImage(np.zeros((12, 12, 3), np.uint8), table, 0.5))
    assert field.transcripts["gene"].tolist() == ["ERBB2", "CD4"] * 2
    assert field.transcripts["x"].tolist() == [0, 4, 6, 10]
    assert list(field.transcripts["gene"].cat.categories) == ["CD4", "ERBB2", "LUM"]


@pytest.mark.skipif(not MIRROR, reason="BEYOND_ALIGNMENT_MIRROR names no mirror of the real data")
def test_the_real_field_in_tiles(tmp_path):
    field = breast_crop_field(cache=tmp_path, mirror=MIRROR)
    assert not field.transcripts["gene"].str.startswith(("NegControl", "BLANK", "antisense")).any()
    panel = breast_crop_panel(field)
    assert len(panel.addon) == 60
    counts = field.transcripts["gene"].value_counts()
    assert counts[list(panel.addon)].min() >= 50
    tiles = breast_crop_tiles(input_px=16, patch_px=8, cache=tmp_path, mirror=MIRROR)
    assert len(tiles) == 20 * 17
    assert disjoint_tiles(tiles) == 25
    assert len(outer_folds(tiles)) == 4
    np.testing.assert_array_equal(
        tiles.pixels[:2], cut_pixels([field], [tiles.centre_um[:2]], tile_um=32.0, input_px=16)
    )
    # Nuclei are dark and hold transcripts: misplaced ones would not follow the stain.
    darkness = 255 - tiles.pixels[..., 0].astype(float).reshape(340, 2, 8, 2, 8).mean(axis=(2, 4)).ravel()
    assert np.corrcoef(darkness, tiles.core.sum(axis=1).A1)[0, 1] > 0.5
