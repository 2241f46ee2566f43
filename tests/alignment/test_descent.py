import math

import pandas as pd
import pytest

from beyond_alignment.alignment import LINEAR_METHODS, canonical_angle, found_subspaces

FAST = {"n": 1000, "correlations": (0.9, 0.6), "device": "cpu"}


def test_angles_fall_with_the_length_of_training_and_the_closed_form_has_none():
    for seed in (0, 1):
        cca = canonical_angle("cca", steps=0, seed=seed, **FAST)
        assert cca["angle"] < 1e-4
        assert 1 < cca["to_truth"] < 20  # sampling noise, which the sample's own subspace does not show
        assert cca["distinct"] > 1.99
        short, long = (canonical_angle("second_order", steps=steps, seed=seed, **FAST) for steps in (1, 200))
        assert short["angle"] > 20
        assert long["angle"] < 5


def test_few_samples_are_measured_against_their_own_subspace_and_not_a_shrunk_one():
    assert canonical_angle("second_order", steps=300, **FAST | {"n": 150})["angle"] < 3


def test_views_that_share_nothing_linear_have_no_truth_to_be_far_from():
    found = canonical_angle("cca", steps=1, latents="squares", **FAST)
    assert math.isnan(found["to_truth"])
    assert not math.isnan(found["angle"])


def test_options_take_the_place_of_the_methods_own():
    for weight, distinct in ((0.001, (0, 1.3)), (25.0, (1.7, 2))):
        found = canonical_angle("vicreg", steps=150, options={"covariance": weight}, **FAST)
        assert distinct[0] < found["distinct"] <= distinct[1]


def test_a_subspace_is_found_where_every_seed_ends_below_five_degrees():
    rows = [
        {"method": method, "n": 100, "seed": seed, "steps": steps, "angle": angle, "to_truth": 9.0, "distinct": 2.0}
        for method, last in (("clip", (4.0, 4.9)), ("byol", (1.0, 5.1)))
        for seed, end in enumerate(last)
        for steps, angle in ((10, 60.0), (500, end))
    ]
    found = found_subspaces(pd.DataFrame(rows)).set_index("method")
    assert list(found["found"]) == [True, False]
    assert found.loc["clip", ["angle", "low", "high"]].tolist() == pytest.approx([4.45, 4.0, 4.9])
    assert found.loc["byol", "n_seeds"] == 2
    assert found.loc["byol", "reason"] == LINEAR_METHODS["byol"].reason
