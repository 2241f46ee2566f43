"""The shares of known truth: methods whose answer is known by theory."""

import numpy as np
import pytest

from beyond_alignment.benchmark import captured_cells
from beyond_alignment.benchmark.captured import captured, label_truth
from beyond_alignment.benchmark.captured_cells import LABELS, Cell, draw_cells, measure
from beyond_alignment.errors import InputError
from beyond_alignment.fusion.together import Failure

UNTRAINED = ("expression_only", "morphology_only", "concat", "late_average")


@pytest.fixture(autouse=True, scope="module")
def _few():
    """Smaller probes than the book's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(captured_cells, "N_PROBE", 2000)
        patch.setattr(captured_cells, "N_TEST", 2000)
        yield


@pytest.fixture(scope="module")
def shares():
    """Mean share by method, term and probe, of methods that train nothing."""
    runs = captured(UNTRAINED, settings=("alone",), seeds=(0,), n=500, tuned=False)
    assert (runs["failure"] == "").all()
    return runs.groupby(["method", "term", "probe"])["share"].mean()


def test_each_label_is_pure_but_for_and():
    for term in LABELS:
        pid = label_truth(term)
        others = [getattr(pid, other) for other in LABELS if other != term]
        expected = [0.5 if term == "synergy_additive" else 1.0, 0.311278 if term == "synergy_additive" else 0.0]
        assert [getattr(pid, term), sum(others)] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("probe", ["linear", "mlp"])
def test_one_modality_tells_what_it_holds_and_nothing_else(shares, probe):
    first = {"redundancy": 1, "unique1": 1, "unique2": 0, "synergy_additive": 0, "synergy_interaction": 0}
    second = first | {"unique1": 0, "unique2": 1}
    for method, expected in (("expression_only", first), ("morphology_only", second)):
        for term, share in expected.items():
            below = 0.12 if term == "synergy_additive" else 0.05  # one bit tells 0.311 of AND, a probe a little less
            assert share - below < shares[method, term, probe] < share + 0.02


def test_side_by_side_a_linear_probe_adds_and_a_perceptron_interacts(shares):
    assert min(shares["concat", term, "linear"] for term in LABELS if term != "synergy_interaction") > 0.9
    assert shares["concat", "synergy_interaction", "linear"] == pytest.approx(0, abs=0.01)
    assert shares["concat", "synergy_interaction", "mlp"] > 0.9


@pytest.mark.parametrize("probe", ["linear", "mlp"])
def test_of_averaged_log_odds_exclusive_or_is_gone_and_the_sum_is_not(shares, probe):
    assert shares["late_average", "synergy_interaction", probe] == pytest.approx(0, abs=0.01)
    assert 0.9 < shares["late_average", "synergy_additive", probe] < 1.02


def test_a_method_without_labels_is_fitted_once_a_draw(monkeypatch):
    sizes = []

    def fit(estimators, sets):
        sizes.append(len(estimators))
        return [Failure("not today", lasting=False)] * len(estimators)

    monkeypatch.setattr(captured_cells, "fit_together", fit)
    for method in ("clip", "bilinear"):
        cells = [Cell(method, "together", term, seed) for term in LABELS for seed in (0, 1)]
        answers = measure(cells, n=50, tuned=False)
        assert {str(answer["failure"]) for answer in answers} == {"not today"}
        assert all(np.isnan(answer["bits"]).all() for answer in answers)
    assert sizes == [2, 10]


def test_all_labels_of_a_draw_share_its_embeddings():
    together = draw_cells([Cell("clip", "together", term, 0) for term in LABELS], 20)
    assert len({id(draw) for draw in together.values()}) == 1
    alone = draw_cells([Cell("clip", "alone", term, 0) for term in LABELS], 20)
    assert len({id(draw) for draw in alone.values()}) == len(LABELS)


def test_what_is_unknown_is_named():
    with pytest.raises(InputError, match="clap cannot be measured; choose among expression_only"):
        captured(("clap",))
    with pytest.raises(InputError, match="luck"):
        captured(("concat",), terms=("luck",))
