"""Labels of a chosen score: it is exact, its synergy is of one kind, and the labels drawn are of that law."""

import numpy as np
import pytest

from beyond_alignment.benchmark import run_curves
from beyond_alignment.benchmark.dialled_tissue import LEVELS, dialled_label, dialled_problems, known_information
from beyond_alignment.errors import InputError

LABELS = [dialled_label(kind, sis, name=f"{kind}_{name}")
          for kind in ("additive", "interaction") for name, sis in LEVELS.items()]  # fmt: skip


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.name)
def test_the_exact_decomposition_has_the_score_that_was_asked_for(label):
    assert label.sis == pytest.approx(LEVELS[label.name.split("_")[1]], abs=1e-6)
    other = "synergy_interaction" if label.kind == "additive" else "synergy_additive"
    assert getattr(label.truth, other) == pytest.approx(0, abs=1e-5)
    assert label.truth.unique1 == pytest.approx(0, abs=1e-5)
    assert label.truth.unique2 == pytest.approx(0, abs=1e-5)


def test_a_score_that_no_noise_gives_is_refused():
    with pytest.raises(InputError, match=r"below 0\.62"):
        dialled_label("additive", 0.7)
    with pytest.raises(InputError, match="no synergy of kind"):
        dialled_label("both", 0.2)


@pytest.fixture(scope="module")
def posed():
    chosen = [label for label in LABELS if label.name.endswith("_high")]
    return dialled_problems(chosen, sizes=(60, 512), methods=("expression_only", "concat"), seeds=(0, 1))


def test_test_donors_are_no_training_donors_and_sizes_are_met(posed):
    problems, fractions = posed
    for bench in problems.benches.values():
        (split,) = bench.splits
        donors = bench.problem.levels[0]
        assert not set(donors[split.train]) & set(donors[split.test])
        assert len(set(donors[split.train])) == 8
        assert [round(share * len(split.train)) for share in fractions] == [60, 512]
        assert len(split.train) == 768


def test_the_labels_are_drawn_at_the_stated_accuracy(posed):
    problems, _ = posed
    for contest in problems.contests:
        label = next(one for one in LABELS if one.name == contest.task)
        bench = problems.of(contest)
        counts = np.unique(bench.problem.labels, return_counts=True)[1]
        assert len(counts) == 4
        assert counts.min() > 0.1 * counts.sum()
        assert 0.4 < label.best_accuracy < 1


def test_curves_run_on_it_and_no_score_passes_the_best(posed):
    problems, fractions = posed
    found = run_curves(problems, problems.contests, fractions=fractions, n_replicates=5).points
    assert set(found["n_train"]) == {60, 512}
    best = known_information(LABELS).set_index("task")["best_accuracy"]
    rows = found[found["metric"] == "macro_f1"]
    assert (rows["value"] < rows["task"].map(best) + 0.1).all()
