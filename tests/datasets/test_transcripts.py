import dask.dataframe as dd
import numpy as np
import pandas as pd
from spatialdata import SpatialData
from spatialdata.models import Image2DModel, PointsModel
from spatialdata.transformations import Affine, Scale

from beyond_alignment.datasets import transcripts_on_image


def test_transcripts_are_mapped_through_both_transformations():
    # common = 4 * microns for points; common = (2 * y, 2 * x) for pixels: a turned image of half a micron a pixel
    pixels = np.arange(3 * 6 * 8, dtype=np.uint8).reshape(3, 6, 8)
    turned = Affine([[0, 2, 0], [2, 0, 0], [0, 0, 1]], input_axes=("x", "y"), output_axes=("x", "y"))
    image = Image2DModel.parse(pixels, dims=("c", "y", "x"), scale_factors=[2], transformations={"global": turned})
    table = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 0.5], "feature_name": ["A", "B"]})
    points = PointsModel.parse(
        dd.from_pandas(table, npartitions=1),
        coordinates={"x": "x", "y": "y"},
        transformations={"global": Scale([4.0, 4.0], axes=("x", "y"))},
    )
    field = transcripts_on_image(SpatialData(images={"he_image": image}, points={"transcripts": points}))
    np.testing.assert_allclose(field.transcripts[["x", "y"]], [[6.0, 2.0], [1.0, 4.0]])
    assert field.transcripts["gene"].tolist() == ["A", "B"]
    np.testing.assert_allclose(field.microns_per_pixel, 0.5)
    np.testing.assert_array_equal(field.image, np.moveaxis(pixels, 0, 2))
