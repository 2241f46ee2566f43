"""Cost of a fit: operations follow from the sizes of the matrices."""

import numpy as np
import pytest

from beyond_alignment.benchmark import method_cost
from beyond_alignment.benchmark.curve_problems import pose_curves
from beyond_alignment.benchmark.method_cost import fit_cost, method_costs, size_study
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import make_fusion
from beyond_alignment.fusion.pairs import TrainingSet
from tests.benchmark.stand_ins import CONTESTS, Here, two_bits


def drawn(n=60):
    rng = np.random.default_rng(0)
    pair = rng.normal(size=(n, 5)), rng.normal(size=(n, 4))
    return TrainingSet(pair, np.array(["a", "b"])[rng.integers(0, 2, n)])


def test_more_updates_cost_in_proportion():
    found = {steps: fit_cost(make_fusion("low_rank", steps=steps), drawn()) for steps in (2, 4, 6)}
    first, second = (found[more]["operations"] - found[less]["operations"] for less, more in ((2, 4), (4, 6)))
    assert first > 0
    assert second == pytest.approx(first, rel=0.2)  # what the probe takes to converge differs a little
    assert found[2]["parameters"] == found[6]["parameters"] > 0


def test_a_method_that_cannot_be_fitted_has_no_cost():
    one_class = TrainingSet(drawn().pair, np.full(60, "a"))
    with pytest.raises(InputError, match="has no cost"):
        fit_cost(make_fusion("concat"), one_class)


def test_costs_are_those_of_the_training_spots_of_a_fold():
    bench = pose_curves(two_bits(), CONTESTS).of(CONTESTS[0])
    assert method_costs(bench, ["concat"])["n"].item() == len(bench.splits[0].train)


def test_a_row_a_size_and_method(monkeypatch):
    monkeypatch.setattr(method_cost.multiprocessing, "get_context", lambda kind: Here())
    found = size_study([(400, 6, 4)], ["concat", "late_average"])
    assert list(found["method"]) == ["concat", "late_average"]
    assert (found[["seconds", "peak_gb", "operations"]] > 0).all(axis=None)
    assert list(found["sources_gb"]) == pytest.approx([4 * 400 * 10 / 2**30] * 2)
