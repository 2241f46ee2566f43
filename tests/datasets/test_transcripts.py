import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from spatialdata import SpatialData
from spatialdata.models import Image2DModel, PointsModel
from spatialdata.transformations import Affine, Scale

from beyond_alignment.datasets import transcripts_on_image
from beyond_alignment.errors import InputError

SCALE = Scale([4.0, 4.0], axes=("x", "y"))


def store(to_common, from_image, **columns):
    """A store of two transcripts and an image of 8 x 6 pixels."""
    pixels = np.arange(3 * 6 * 8, dtype=np.uint8).reshape(3, 6, 8)
    image = Image2DModel.parse(pixels, dims=("c", "y", "x"), scale_factors=[2], transformations=from_image)
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 0.5], "feature_name": ["A", "B"]} | columns)
    points = PointsModel.parse(
        dd.from_pandas(table, npartitions=1), coordinates={"x": "x", "y": "y"}, transformations=to_common
    )
    return SpatialData(images={"he_image": image}, points={"transcripts": points}), pixels


def test_transcripts_are_mapped_through_both_transformations():
    # common = 4 * microns for points; common = (2 * y, 2 * x) for pixels: a turned image of half a micron a pixel
    turned = Affine([[0, 2, 0], [2, 0, 0], [0, 0, 1]], input_axes=("x", "y"), output_axes=("x", "y"))
    crop, pixels = store({"global": SCALE}, {"global": turned})
    field = transcripts_on_image(crop)
    np.testing.assert_allclose(field.transcripts[["x", "y"]], [[6.0, 2.0], [1.0, 4.0]])
    assert field.transcripts["gene"].tolist() == ["A", "B"]
    np.testing.assert_allclose(field.microns_per_pixel, 0.5)
    np.testing.assert_array_equal(field.image, np.moveaxis(pixels, 0, 2))


def test_transcripts_of_poor_quality_are_left_out():
    crop, _ = store({"global": SCALE}, None, qv=[19.9, 20.0])
    assert transcripts_on_image(crop, min_quality=20.0).transcripts["gene"].tolist() == ["B"]
    assert len(transcripts_on_image(crop).transcripts) == 2


def test_a_missing_affine_is_named():
    with pytest.raises(InputError, match="microns would be taken for pixels: the affine of the image is missing"):
        transcripts_on_image(store(None, None)[0])
    with pytest.raises(InputError, match="share no coordinate system 'global': the affine"):
        transcripts_on_image(store({"global": SCALE}, {"aligned": SCALE})[0])
    with pytest.raises(InputError, match="no 'if_image' in the store, which has he_image"):
        transcripts_on_image(store({"global": SCALE}, None)[0], image="if_image")
