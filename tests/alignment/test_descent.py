import numpy as np
import pandas as pd
import pytest

from beyond_alignment.alignment import LINEAR_METHODS, angles_by_steps, found_subspaces, spectrum_by_size
from beyond_alignment.alignment.spectrum_by_size import NOISE, POPULATION

FAST = {"sizes": [1000], "seeds": [0, 1], "correlations": (0.9, 0.6), "device": "cpu"}


def test_angles_fall_with_the_length_of_training_and_the_closed_form_has_none():
    angles = angles_by_steps(["cca", "second_order"], steps=[1, 200], **FAST)
    cca, trained = (angles[angles["method"] == name] for name in ("cca", "second_order"))
    assert list(cca["steps"]) == [0, 0]
    assert cca["angle"].max() < 1e-4
    assert (cca["to_truth"] > 1).all()  # sampling noise, which the sample's own subspace does not show
    assert (cca["to_truth"] < 20).all()
    assert cca["distinct"].min() > 1.99
    by_steps = trained.groupby("steps")["angle"]
    assert by_steps.min()[1] > 20
    assert by_steps.max()[200] < 5
    assert set(angles["n_directions"]) == {2}


def test_few_samples_are_measured_against_their_own_subspace_and_not_a_shrunk_one():
    table = angles_by_steps(["second_order"], steps=[300], **FAST | {"sizes": [150], "seeds": [0]})
    assert table["angle"].max() < 3


def test_views_that_share_nothing_linear_have_no_truth_to_be_far_from():
    angles = angles_by_steps(["cca"], steps=[1], **FAST | {"latents": "squares"})
    assert angles["to_truth"].isna().all()
    assert angles["angle"].notna().all()


def test_options_take_the_place_of_the_methods_own():
    options = {"steps": [150], **FAST, "seeds": [0]}
    for weight, distinct in ((0.001, (0, 1.3)), (25.0, (1.7, 2))):
        angles = angles_by_steps(["vicreg"], options={"covariance": weight}, **options)
        assert distinct[0] < angles["distinct"].iloc[0] <= distinct[1]


def test_a_subspace_is_found_where_every_seed_ends_below_five_degrees():
    rows = [
        {"method": method, "n": 100, "seed": seed, "steps": steps, "angle": angle, "to_truth": 9.0, "distinct": 2.0}
        for method, last in (("clip", (4.0, 4.9)), ("byol", (1.0, 5.1)))
        for seed, end in enumerate(last)
        for steps, angle in ((10, 60.0), (500, end))
    ]
    found = found_subspaces(pd.DataFrame(rows).assign(n_directions=2)).set_index("method")
    assert list(found["found"]) == [True, False]
    assert found.loc["clip", ["angle", "low", "high"]].tolist() == pytest.approx([4.45, 4.0, 4.9])
    assert found.loc["byol", "n_seeds"] == 2
    assert found.loc["byol", "reason"] == LINEAR_METHODS["byol"].reason


def test_the_spectrum_nears_the_ceiling_of_the_population_from_both_sides():
    table = spectrum_by_size([200, 4000], seeds=[0], n_permutations=20).set_index("n")
    assert pytest.approx(4 / (1 + NOISE**2) ** 2) == POPULATION
    assert table.loc[4000, "excess"] == pytest.approx(POPULATION, abs=0.05)
    assert table.loc[4000, "held_out"] == pytest.approx(POPULATION, abs=0.1)
    assert table.loc[4000, "top"] == pytest.approx(1 / (1 + NOISE**2), abs=0.02)
    assert (table["rank"] == 4).all()
    assert (table["next"] < table["threshold"]).all()
    assert (np.abs(table["excess"] - POPULATION).diff().iloc[1:] < 0).all()
    assert (table["population"] == POPULATION).all()
