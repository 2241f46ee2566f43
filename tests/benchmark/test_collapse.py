"""What alignment and interaction hold of known truth is what theory says, on small samples and short trainings."""

import numpy as np
import pytest

from beyond_alignment.benchmark import captured_probes, collapse_by_size, collapse_limits, collapse_representations
from beyond_alignment.benchmark.collapse_by_size import shares_along_dial, shares_by_directions, shares_by_size
from beyond_alignment.benchmark.collapse_limits import _task, angles_by_temperature, hidden_sharing
from beyond_alignment.benchmark.collapse_picture import collapse_picture
from beyond_alignment.benchmark.collapse_representations import CONTENDERS, represent_unseen
from beyond_alignment.benchmark.store import PointStore
from beyond_alignment.errors import InputError
from beyond_alignment.information import broja, dialled_task
from beyond_alignment.information.discrete import joint_informations
from beyond_alignment.information.known_truth.dial import dial_theory

CPU = {"seeds": [0], "device": "cpu"}


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    for module in (collapse_by_size, collapse_limits):
        monkeypatch.setattr(module, "N_PROBE", 800)
        monkeypatch.setattr(module, "N_TEST", 800)
    monkeypatch.setattr(collapse_representations, "LEAST_STEPS", 120)
    monkeypatch.setattr(captured_probes, "STEPS", 150)


def test_alignment_holds_what_both_sources_share_and_interaction_the_exclusive_or_too():
    labels = ["redundant", "and", "xor"]
    table = shares_by_directions(["cca_linear", "bilinear"], directions=[4], n=1200, labels=labels, **CPU)
    share = table[table["probe"] == "mlp"].set_index(["contender", "label"])["share"]
    assert share["cca_linear", "redundant"] > 0.95
    assert abs(share["cca_linear", "xor"]) < 0.05
    assert share["bilinear", "redundant"] > 0.9
    assert share["bilinear", "xor"] > 0.8
    truth = dialled_task(0.5, n=8, seed=0).truths["and"]  # redundant, and yet of independent sources
    assert broja(truth).redundancy == pytest.approx(0.3113, abs=1e-3)
    assert abs(share["cca_linear", "and"]) < 0.05
    bits = table["bits"] / table["label"].map({"redundant": 1, "xor": 1, "and": joint_informations(truth).I12})
    assert table["share"].to_numpy() == pytest.approx(bits.to_numpy())
    assert set(zip(table["contender"], table["head"], strict=True)) == {
        ("cca_linear", "linear"), ("bilinear", "interaction"),
    }  # fmt: skip


def test_directions_beyond_those_shared_keep_the_exclusive_or_by_luck():
    options = {"n": 1200, "labels": ["xor"], **CPU}
    table = shares_by_directions(["cca_linear"], directions=[16], **options)
    assert table.set_index("probe")["share"]["mlp"] > 0.5
    assert abs(table.set_index("probe")["share"]["linear"]) < 0.05


def test_the_dial_is_read_as_theory_says():
    table = shares_along_dial(["cca_linear"], synergy_shares=[0.5, 1], n=1200, **CPU)
    for share, part in table.groupby("synergy_share"):
        theory = dial_theory(share)._asdict()
        assert (part[list(theory)] == list(theory.values())).to_numpy().all()
        (read,) = part[part["probe"] == "mlp"].to_dict("records")
        assert read["accuracy"] == pytest.approx(read["aligned_accuracy"], abs=0.06)
        assert read["bits"] == pytest.approx(read["aligned_bits"], abs=0.12)
    assert table.groupby("synergy_share")["n_directions"].first().to_dict() == {0.5: 4, 1.0: 3}


def test_a_kept_cell_is_not_computed_again(tmp_path, monkeypatch):
    options = {"sizes": [40], "labels": ["redundant", "xor"], "store": PointStore(tmp_path), **CPU}
    first = shares_by_size(["concatenation"], **options)
    assert (first["n_directions"] == 4).all()
    assert len(list(tmp_path.iterdir())) == 1

    def never(*args, **options):
        raise AssertionError

    monkeypatch.setattr(collapse_by_size, "represent_unseen", never)
    monkeypatch.setattr(collapse_by_size, "dialled_task", lambda *a, n, **o: dialled_task(*a, n=min(n, 8), **o))
    assert shares_by_size(["concatenation"], **options).equals(first)
    for other in ({"sizes": [41]}, {"seeds": [1]}, {"labels": ["xor"]}):
        with pytest.raises(AssertionError):
            shares_by_size(["concatenation"], **options | other)


def test_representations_are_of_unseen_samples_and_without_labels_one_for_all(monkeypatch):
    monkeypatch.setattr(collapse_representations, "LEAST_STEPS", 5)
    task, options = dialled_task(0.5, n=150, seed=0), {"n_directions": 4, "device": "cpu"}
    for name, width in (("concatenation", 32), ("cca_linear", 8), ("clip_nonlinear", 8)):
        made = represent_unseen(name, task, 100, labels=["redundant", "xor"], **options)
        assert list(made) == ["redundant", "xor"]
        assert made["redundant"] is made["xor"]
        assert made["xor"].shape == (50, width)
    made = represent_unseen("bilinear", task, 100, labels=["redundant", "xor"], **options)
    assert not np.array_equal(made["redundant"], made["xor"])
    assert {one.head for one in CONTENDERS.values()} == {"linear", "nonlinear", "interaction", "concatenation"}
    with pytest.raises(InputError, match="no contender 'pca'; choose among concatenation, cca_linear"):
        represent_unseen("pca", task, 100, labels=["xor"], **options)


def test_what_is_shared_as_a_square_has_no_ceiling_and_linear_heads_miss_it():
    options = {"sizes": [1200], **CPU}
    table = hidden_sharing(["cca_linear"], laws=["gaussian", "squares"], **options).set_index("law")
    assert table.loc["gaussian", "excess"] == pytest.approx(4 * 0.9**2, abs=0.2)
    assert table.loc["gaussian", "bits"] > 0.4
    assert abs(table.loc["squares", "excess"]) < 0.1
    assert table.loc["squares", "bits"] < 0.05


@pytest.mark.parametrize("seed", range(4))
def test_the_label_of_a_shared_bit_is_the_bit(seed):
    task, _ = _task("bits", 100, seed)
    held = task.x2 - task.x2.mean(axis=0)
    fitted = held @ np.linalg.lstsq(held, task.labels["shared"] - task.labels["shared"].mean())[0]
    assert len(np.unique(fitted.round(6))) == 2


def test_a_temperature_that_stays_is_the_one_that_was_asked_for():
    table = angles_by_temperature([0.05, 1.0], n=600, seeds=[0], steps=20, device="cpu")
    assert list(table["temperature"]) == [0.05, 1.0]
    assert table["angle"].nunique() == 2


def test_the_picture_shows_nothing_of_the_exclusive_or_on_one_side_and_all_on_the_other():
    picture = collapse_picture(n=700, n_shown=300, n_places=5)
    assert picture.aligned_accuracy == pytest.approx(0.5, abs=0.1)
    assert picture.joint_accuracy > 0.9
    assert (picture.aligned.shape, picture.halves.shape, picture.log_odds.shape) == ((300, 2), (300, 2), (5, 5))
    ends = picture.log_odds[[0, 0, -1, -1], [0, -1, 0, -1]] > 0
    assert list(ends) == [False, True, True, False]
    assert np.array_equal(picture.labels == 1, picture.halves[:, 0] * picture.halves[:, 1] < 0)
    assert np.corrcoef(picture.aligned, rowvar=False)[0, 1] > 0.85
