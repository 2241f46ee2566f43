"""Ceilings of pairs of experts on synthetic tissue whose shared directions are known."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.pages.alignment.ceilings import held_out_unit, tissue_ceiling, transferred_ceilings
from tests.tissue import make_tissue

FEW = {"n_components": 50, "n_permutations": 40, "n_bootstrap": 20, "seed": 0}


@pytest.fixture(scope="module")
def tissue():
    adata = make_tissue(side=12, sections=("A1", "A2", "B1", "C1"))
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(adata.n_obs, 2))
    noise = [rng.normal(size=(adata.n_obs, 5)) for _ in range(4)]
    adata.obsm["X_pca"] = np.column_stack([shared, noise[0]])
    adata.obsm["X_mobilenetv2_200um"] = np.column_stack([shared, noise[1]])  # both directions, everywhere
    adata.obsm["X_colour_200um"] = noise[2]  # nothing
    sign = np.where(adata.obs["donor"] == "A", 1, -1)
    adata.obsm["X_random_vit_200um"] = np.column_stack([shared[:, :1] * sign[:, None], noise[3]])  # turned by the donor
    return adata


def views_of(tissue, morphology):
    return tissue.obsm["X_pca"], tissue.obsm[f"X_{morphology}_200um"]


@pytest.fixture(scope="module")
def table(tissue):
    names = ("mobilenetv2", "colour")
    found = [tissue_ceiling(views_of(tissue, name), tissue, **FEW) for name in names]
    return pd.DataFrame(found, index=names)


def test_a_ceiling_is_the_number_of_shared_directions_and_the_nulls_are_far_below(table):
    row = table.loc["mobilenetv2"]
    assert row["ceiling"] == pytest.approx(2, abs=0.15)
    assert row["excess_low"] < row["excess"] < row["excess_high"]
    assert (row["rank"], row["rank_spatial"]) == (2, 2)
    assert max(row["null"], row["null_spatial"]) < 0.3
    assert max(row["p"], row["p_spatial"]) < 0.05
    assert row["held_out"] == pytest.approx(2, abs=0.3)


def test_what_is_shared_holds_in_a_donor_never_seen(table):
    row = table.loc["mobilenetv2"]
    assert (row["unit"], row["n_units"], row["n_sections"], row["n_donors"]) == ("donor", 3, 4, 3)
    assert 1.7 < row["transferred_low"] <= row["transferred"] <= row["transferred_high"] < 2.1


def test_nothing_shared_is_no_excess_and_transfers_as_nothing(table):
    row = table.loc["colour"]
    assert row["p"] > 0.05
    assert row["p_spatial"] > 0.05
    assert abs(row["excess"]) < 0.1
    assert abs(row["transferred"]) < 0.1


def test_a_direction_that_turns_with_the_donor_transfers_with_its_sign(tissue):
    found = dict(zip("ABC", transferred_ceilings(views_of(tissue, "random_vit"), tissue), strict=True))
    assert found["A"][0] > 0.8  # donors B and C agree with one another
    assert found["A"][1] < -0.8  # and donor A says the contrary


@pytest.mark.parametrize(
    ("sections", "unit", "n_units"), [(("A1", "A2"), "section", 2), (("A1",), "block", 5), (("A1", "B1"), "donor", 2)]
)
def test_the_unit_is_the_widest_of_which_there_are_two(sections, unit, n_units):
    adata = make_tissue(side=16, sections=sections, pitch_um=300)
    x = np.random.default_rng(0).normal(size=(2, adata.n_obs, 3))
    assert held_out_unit(adata) == unit
    assert len(list(transferred_ceilings((x[0], x[1]), adata))) == n_units


def test_a_single_section_holds_out_blocks(tissue):
    single = tissue[tissue.obs["section"] == "A1"].copy()
    single.obsm["spatial"] *= 3  # room for the buffers of the blocks
    found = tissue_ceiling(views_of(single, "mobilenetv2"), single, **FEW)
    assert (found["unit"], found["n_units"], found["n_donors"]) == ("block", 5, 1)
    assert found["held_out"] > 1
