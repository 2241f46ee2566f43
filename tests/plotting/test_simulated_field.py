import numpy as np
import pytest

from beyond_alignment.datasets import simulate_field
from beyond_alignment.errors import InputError
from beyond_alignment.plotting import plot_simulated_field

FIELD = simulate_field(size_um=200, microns_per_pixel=1.0, n_core_genes=5, n_addon_genes=3, seed=1)


def test_a_field_is_drawn_with_its_compartments_genes_and_window():
    gene = FIELD.addon_genes[1]
    figure = plot_simulated_field(FIELD, genes=(FIELD.core_genes[0], gene), zoom_um=60.0, zoom_at=(10.0, 150.0))
    panels = [ax for ax in figure.axes if ax.get_title(loc="left") or ax.get_title()]
    assert len(panels) == 6
    assert all("simulated" in (ax.get_title() + ax.get_title(loc="left")) for ax in panels)
    picture, niches, window, _, density, on_cells = panels
    assert picture.images[0].get_array().shape == FIELD.on_image.image.shape
    assert sum(len(dots.get_offsets()) for dots in niches.collections) == len(FIELD.cells)
    table = FIELD.on_image.transcripts
    places = table.loc[table["gene"] == gene, ["x", "y"]].to_numpy()
    assert density.images[0].get_array().sum() == len(places)
    assert window.get_xlim() == on_cells.get_xlim() == (0.0, 60.0)
    assert window.get_ylim() == (180.0, 120.0)
    shown = on_cells.collections[1].get_offsets()
    inside = places[(places[:, 0] < 60) & (places[:, 1] >= 120) & (places[:, 1] < 180)]
    np.testing.assert_allclose(shown, inside)


def test_without_genes_those_with_most_transcripts_are_drawn():
    seen = FIELD.on_image.transcripts["gene"].value_counts()
    titles = {ax.get_title() + ax.get_title(loc="left") for ax in plot_simulated_field(FIELD).axes}
    assert {seen[list(names)].idxmax() for names in (FIELD.core_genes, FIELD.addon_genes)} <= titles


@pytest.mark.parametrize("wrong", [{"genes": ["EPCAM", "x"]}, {"genes": []}, {"zoom_um": 300.0}, {"zoom_at": (0, 999)}])
def test_what_is_not_in_the_field_is_refused(wrong):
    with pytest.raises(InputError):
        plot_simulated_field(FIELD, **wrong)
