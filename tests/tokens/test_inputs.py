from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.inputs import check_field, check_fields
from beyond_alignment.tokens.panel import Panel, split_panel
from beyond_alignment.tokens.tiles import make_tiles
from tests.tokens.fields import GENES, SMALL, field


def moved(change, **options):
    """A field with other coordinates: change takes x and y."""
    one = field(**options)
    x, y = change(one.transcripts["x"], one.transcripts["y"])
    return replace(one, transcripts=one.transcripts.assign(x=x, y=y))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y: (x * 0.5, y * 0.5), "0.5 times as much: the coordinates look like microns; map them"),
        (lambda x, y: (x + 10000, y), "do not overlap: image and transcripts are in different frames"),
        (lambda x, y: (x, y - 500), "do not overlap"),
        (lambda x, y: (x * 1.7, y * 1.7), "1.70 times as much on both axes: .* pixels of another image"),
        (lambda x, y: (y, x), "with x and y swapped"),
        (lambda x, y: (x - 100, y), "32% of the transcripts have negative coordinates"),
        (lambda x, y: (x + 80, y), "25% of the transcripts lie outside of the image, more than 5%"),
        (lambda x, y: (x.where(x > 5), y), r"of 3000 transcripts of Field 1 \(p\) have coordinates that are NaN"),
        (lambda x, y: (x * np.inf, y), "are NaN"),
    ],
)
def test_transcripts_in_another_frame_are_named(change, words):
    with pytest.raises(InputError, match=words):
        make_tiles([moved(change)], groups=["p"], **SMALL)


def test_coarse_images_in_microns_are_named_too():
    with pytest.raises(InputError, match="look like microns"):
        check_field(moved(lambda x, y: (x * 2.2, y * 2.2), microns_per_pixel=2.2))


def test_a_few_transcripts_off_the_image_are_left_out():
    one = moved(lambda x, y: (x - 8, y))
    check_field(one)
    tiles = make_tiles([one], groups=["p"], **SMALL | {"stride_um": 40.0})
    assert tiles.n_transcripts.sum() == (one.transcripts["x"] >= 0).sum()


@settings(max_examples=25, deadline=None)
@given(width=st.integers(20, 90), height=st.integers(20, 90), scale=st.floats(0.1, 3.0), seed=st.integers(0, 99))
def test_transcripts_all_over_the_image_are_never_refused(width, height, scale, seed):
    check_field(field(n=300, width=width, height=height, microns_per_pixel=scale, seed=seed))


def test_fields_of_another_form_are_refused():
    one = field()
    with pytest.raises(InputError, match=r"shape \(240, 320\)"):
        check_field(replace(one, image=one.image[..., 0]))
    with pytest.raises(InputError, match="microns per pixel"):
        check_field(replace(one, microns_per_pixel=np.nan))
    with pytest.raises(InputError, match="lack the columns y"):
        check_field(replace(one, transcripts=one.transcripts.drop(columns="y")))
    unnamed = one.transcripts["gene"].where(one.transcripts["gene"] != "A")
    with pytest.raises(InputError, match=f"{unnamed.isna().sum()} of 3000 transcripts of The field have no gene"):
        check_field(replace(one, transcripts=one.transcripts.assign(gene=unnamed)))
    with pytest.raises(InputError, match="has no transcripts"):
        check_field(replace(one, transcripts=one.transcripts.iloc[:0]))
    with pytest.raises(InputError, match="1 fields and 2 groups"):
        check_fields([one], GENES, ["p", "q"])


def test_unknown_genes_are_named():
    with pytest.raises(InputError, match=r"1 genes are in no field, such as Ax \(did you mean A\?\)"):
        make_tiles([field()], groups=["p"], **SMALL | {"core_genes": ["Ax", "B"]})
    with pytest.raises(InputError, match="panel of field 2 lacks 1 genes that others have, such as F"):
        make_tiles([field(), field(genes=GENES[:5])], groups=["p", "q"], **SMALL)
    names_only = field(genes=GENES[:5])
    table = names_only.transcripts.astype({"gene": str})
    tiles = make_tiles([field(), replace(names_only, transcripts=table)], groups=["p", "q"], **SMALL)
    assert not tiles.targets[tiles.group == "q", 1].any()


def test_panels_that_overlap_are_refused():
    with pytest.raises(InputError, match="D is both a core and an add-on gene"):
        make_tiles([field()], groups=["p"], **SMALL | {"addon_genes": ["D", "E"]})
    with pytest.raises(InputError, match="no add-on gene"):
        Panel(("A",), ())
    with pytest.raises(InputError, match="A stands more than once among the core"):
        Panel(("A", "A"), ("B",))


def test_a_panel_is_split_by_names_or_by_a_draw():
    assert split_panel("ABCD", ["D", "A"]) == Panel(("B", "C"), ("D", "A"))
    names = [f"G{number}" for number in range(40)]
    drawn = split_panel(names, 10, seed=3)
    assert drawn == split_panel(names, 10, seed=3) != split_panel(names, 10, seed=4)
    assert len(drawn.addon) == 10
    assert sorted([*drawn.core, *drawn.addon]) == sorted(names)
    assert list(drawn.core) == [name for name in names if name not in drawn.addon]
    for wrong in (0, 40):
        with pytest.raises(InputError, match="cannot be drawn from 40"):
            split_panel(names, wrong)
    with pytest.raises(InputError, match="X, Y, Z and 1 more is not among the 4 genes"):
        split_panel("ABCD", list("XYZW"))
