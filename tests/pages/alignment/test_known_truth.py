"""What alignment and interaction hold of known truth is what theory says, on small samples and short trainings."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark import captured_probes
from beyond_alignment.information import broja
from beyond_alignment.information.exact import joint_informations
from beyond_alignment.pages.alignment import angles, hidden, picture, shares, spectrum
from beyond_alignment.pages.alignment.representations import CONTENDERS, represent_unseen, training_steps
from beyond_alignment.simulate import dial_theory, dialled_task


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    for module in (shares, hidden):
        monkeypatch.setattr(module, "N_PROBE", 800)
        monkeypatch.setattr(module, "N_TEST", 800)
    monkeypatch.setattr(captured_probes, "STEPS", 150)


def share(contender, *, synergy_share=0.5, n_directions=4, labels=("redundant", "xor"), steps=120):
    found = shares.share(
        contender, 1200, synergy_share, n_directions, 0, steps, dim=16, noise=0.25, labels=labels, device="cpu"
    )
    return pd.DataFrame(found).set_index(["probe", "label"])


def test_alignment_holds_what_both_sources_share_and_interaction_the_exclusive_or_too():
    aligned = share("cca_linear", labels=("redundant", "and", "xor"))
    assert set(aligned["head"]) == {"linear"}
    assert aligned.loc[("mlp", "redundant"), "share"] > 0.95
    assert abs(aligned.loc[("mlp", "xor"), "share"]) < 0.05
    together = share("bilinear")
    assert set(together["head"]) == {"interaction"}
    assert together.loc[("mlp", "redundant"), "share"] > 0.9
    assert together.loc[("mlp", "xor"), "share"] > 0.8
    truth = dialled_task(0.5, n=8, seed=0).truths["and"]  # redundant, and yet of independent sources
    assert broja(truth).redundancy == pytest.approx(0.3113, abs=1e-3)
    assert abs(aligned.loc[("mlp", "and"), "share"]) < 0.05
    whole = {"redundant": 1, "xor": 1, "and": joint_informations(truth).I12}
    bits = [bits / whole[label] for (_, label), bits in aligned["bits"].items()]
    assert aligned["share"].to_list() == pytest.approx(bits)


def test_directions_beyond_those_shared_keep_the_exclusive_or_by_luck():
    found = share("cca_linear", n_directions=16, labels=("xor",))["share"]
    assert found["mlp", "xor"] > 0.5
    assert abs(found["linear", "xor"]) < 0.05


@pytest.mark.parametrize(("synergy_share", "n_directions"), [(0.5, 4), (1.0, 3)])
def test_the_dial_is_read_as_theory_says(synergy_share, n_directions):
    found = share("cca_linear", synergy_share=synergy_share, n_directions=n_directions, labels=("dialled",))
    table = shares.with_theory(found.reset_index().assign(synergy_share=synergy_share, steps=120))
    theory = dial_theory(synergy_share)._asdict()
    assert (table[list(theory)] == list(theory.values())).to_numpy().all()
    (read,) = table[table["probe"] == "mlp"].to_dict("records")
    assert read["accuracy"] == pytest.approx(read["aligned_accuracy"], abs=0.06)
    assert read["bits"] == pytest.approx(read["aligned_bits"], abs=0.12)


def test_the_plan_of_the_dial_keeps_as_many_directions_as_are_shared():
    kept = {row["synergy_share"]: row["n_directions"] for row in shares.ALONG_DIAL}
    assert kept == {0.0: 3, 0.25: 4, 0.5: 4, 0.75: 4, 1.0: 3}


def test_representations_are_of_unseen_samples_and_without_labels_one_for_all():
    task, options = dialled_task(0.5, n=150, seed=0), {"n_directions": 4, "device": "cpu", "steps": 5}
    for name in ("cca_linear", "clip_nonlinear"):
        made = represent_unseen(name, task, 100, labels=["redundant", "xor"], **options)
        assert list(made) == ["redundant", "xor"]
        assert made["redundant"] is made["xor"]
        assert made["xor"].shape == (50, 8)
    made = represent_unseen("bilinear", task, 100, labels=["redundant", "xor"], **options)
    assert not np.array_equal(made["redundant"], made["xor"])
    assert {one.head for one in CONTENDERS.values()} == {"linear", "nonlinear", "interaction"}


def test_a_network_is_trained_for_an_epoch_within_bounds():
    assert [training_steps(n) for n in (100, 256_000, 1_000_000)] == [300, 1000, 3906]


def test_what_is_shared_as_a_square_has_no_ceiling_and_linear_heads_miss_it():
    found = {law: hidden.hidden(law, "cca_linear", 1200, 0, 300, "cpu") for law in ("gaussian", "squares")}
    assert found["gaussian"]["excess"] == pytest.approx(4 * 0.9**2, abs=0.2)
    assert found["gaussian"]["bits"] > 0.4
    assert abs(found["squares"]["excess"]) < 0.1
    assert found["squares"]["bits"] < 0.05


@pytest.mark.parametrize("seed", range(4))
def test_the_label_of_a_shared_bit_is_the_bit(seed):
    task, _ = hidden.draw("bits", 100, seed)
    held = task.x2 - task.x2.mean(axis=0)
    fitted = held @ np.linalg.lstsq(held, task.labels["shared"] - task.labels["shared"].mean())[0]
    assert len(np.unique(fitted.round(6))) == 2


def test_a_temperature_that_stays_is_the_one_that_was_asked_for():
    found = [angles.angle(f"temperature {t}", "clip", 600, 0, 20, "cpu")["angle"] for t in (0.03, 1.0)]
    assert found[0] != found[1]


def test_angles_where_an_assumption_is_dropped_are_a_row_an_objective():
    rows = [
        {"case": case, "method": "clip", "seed": seed, "steps": steps, "angle": angle + seed}
        for case, angle in (("two of four", 6.0), ("bits", 4.0), ("temperature 0.3", 5.0))
        for seed, steps in ((0, 1000), (1, 1000), (0, 30))
    ]
    table = angles.limits(pd.DataFrame(rows)).set_index("objective")
    assert table.loc["CLIP", ["two of four", "bits"]].to_list() == ["6.5 (6.0 to 7.0)", "4.5 (4.0 to 5.0)"]
    assert list(table.index) == ["CLIP", "CLIP, temperature 0.3"]


def test_the_picture_shows_nothing_of_the_exclusive_or_on_one_side_and_all_on_the_other():
    seen = picture.picture("bilinear", 700, 0)
    assert seen["aligned_accuracy"] == pytest.approx(0.5, abs=0.1)
    assert seen["joint_accuracy"] > 0.9
    assert (seen["aligned"].shape, seen["halves"].shape, seen["log_odds"].shape) == ((600, 2), (600, 2), (41, 41))
    ends = seen["log_odds"][[0, 0, -1, -1], [0, -1, 0, -1]] > 0
    assert list(ends) == [False, True, True, False]
    agree = (seen["labels"] == 1) == (seen["halves"][:, 0] * seen["halves"][:, 1] < 0)
    assert agree.mean() > 0.99
    assert np.corrcoef(seen["aligned"], rowvar=False)[0, 1] > 0.85


def test_the_spectrum_nears_the_ceiling_of_the_population_from_both_sides():
    few, many = (spectrum.spectrum(n, 0, 20) for n in (200, 4000))
    assert pytest.approx(4 / (1 + spectrum.NOISE**2) ** 2) == spectrum.POPULATION
    assert many["excess"] == pytest.approx(spectrum.POPULATION, abs=0.05)
    assert many["held_out"] == pytest.approx(spectrum.POPULATION, abs=0.1)
    assert many["top"] == pytest.approx(1 / (1 + spectrum.NOISE**2), abs=0.02)
    assert (few["rank"], many["rank"]) == (4, 4)
    assert max(few["next"] - few["threshold"], many["next"] - many["threshold"]) < 0
    assert abs(many["excess"] - spectrum.POPULATION) < abs(few["excess"] - spectrum.POPULATION)
    assert many["correlations"][0] == many["top"]
