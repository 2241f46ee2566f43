"""A label whose source varies: its decomposition by hand, and what representations with a known answer hold of it."""

import numpy as np
import pytest

from beyond_alignment.benchmark.captured_cells import TUNING_SEED
from beyond_alignment.benchmark.patterns import relevance as module
from beyond_alignment.benchmark.patterns.relevance import relevance_study, relevance_truth
from beyond_alignment.errors import InputError
from beyond_alignment.simulate import linear_embedding_task


def test_the_truth_of_both_labels_is_that_by_hand():
    constant, varying = relevance_truth("constant"), relevance_truth("varying")
    assert (constant.unique1, constant.I12) == pytest.approx((1, 1), abs=1e-6)
    # Each source tells the label where the shown bit names it: half a bit, the same for both; together they tell all.
    np.testing.assert_allclose([varying.I1, varying.I2, varying.I12], [0.5, 0.5, 1], atol=1e-6)
    assert varying.redundancy == pytest.approx(0.5, abs=1e-6)
    # A source that is named can speak loudly and the other keep silent, so that a sum of one score a source is enough.
    assert (varying.synergy_additive, varying.synergy_interaction) == pytest.approx((0.5, 0), abs=1e-6)


@pytest.fixture(scope="module")
def table():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "N_TEST", 4000)
        return relevance_study(("expression_only", "morphology_only", "concat"), seeds=(0, 1), n=500, tuned=False)


def test_single_sources_tell_what_theory_allows(table):
    told = table[table["probe"] == "mlp"].groupby(["method", "relevance"])["bits"].mean()
    assert told["expression_only", "constant"] == pytest.approx(1, abs=0.02)
    assert told["morphology_only", "constant"] == pytest.approx(0, abs=0.02)
    assert told["expression_only", "varying"] == pytest.approx(0.5, abs=0.03)
    assert told["morphology_only", "varying"] == pytest.approx(0.5, abs=0.03)
    assert told["concat", "varying"] == pytest.approx(1, abs=0.02)


def test_a_linear_reader_cannot_lower_the_voice_of_the_source_that_is_not_named(table):
    linear = table[(table["method"] == "concat") & (table["probe"] == "linear")].groupby("relevance")["bits"].mean()
    # Of scores linear in the signs of s, u1 and u2 the best is u1 + u2, a tie half of the time: half a bit at most.
    assert linear["constant"] == pytest.approx(1, abs=0.02)
    assert 0.35 < linear["varying"] < 0.5


def test_an_unknown_method_is_named():
    with pytest.raises(InputError, match="pooling_by_magic is no fusion method; choose among"):
        relevance_study(("pooling_by_magic",))


def test_networks_are_tuned_on_other_samples(monkeypatch):
    seen = []
    monkeypatch.setattr(module, "N_PROBE", 2000)
    monkeypatch.setattr(module, "N_TEST", 2000)
    monkeypatch.setattr(module, "tune", lambda models, sets: seen.append(sets[0].pair[0]) or models)
    found = relevance_study(("sum",), seeds=(0,), n=300)
    assert len(seen) == 2
    drawn = linear_embedding_task("every_term", n=300, seed=TUNING_SEED)
    assert np.array_equal(seen[0], drawn.x1)
    told = found[found["probe"] == "linear"].set_index("relevance")["bits"]
    assert told["constant"] > 0.9
