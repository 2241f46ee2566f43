"""The neural estimator of the field: easy rules, its coupling, and what groups may tell."""

import numpy as np
import pytest
import torch

from beyond_alignment.information import neural
from beyond_alignment.information.estimate import estimate_pid
from beyond_alignment.information.neural import Coupling, common_mass, coupled_information, scale, table_information
from beyond_alignment.simulate import draw

N = 1000
RULES = {
    "xor": (lambda a, b, s: (a, b, a ^ b), (0, 0, 0, 1)),
    "redundant": (lambda a, b, s: (s, s, s), (1, 0, 0, 0)),
    "unique": (lambda a, b, s: (a, b, a), (0, 1, 0, 0)),
}


def view(bits, rng):
    return np.column_stack([2 * bits - 1 + 0.3 * rng.normal(size=len(bits)), rng.normal(size=(len(bits), 3))])


def batch(x1, x2, y, groups=None, *, n_bootstrap=20, seed=0, n_null=0):
    return estimate_pid(x1, x2, y, groups, method="batch", n_null=n_null, n_bootstrap=n_bootstrap, seed=seed)


@pytest.fixture(scope="module")
def found():
    estimates = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neural, "CLASSIFIER_STEPS", (150, 150))
        patch.setattr(neural, "COUPLING_STEPS", (30, 30))
        for name, (rule, _) in RULES.items():
            rng = np.random.default_rng(0)
            first, second, y = rule(*rng.integers(0, 2, (3, N)))
            groups = np.arange(N) % 6 if name == "xor" else None
            estimates[name] = batch(view(first, rng), view(second, rng), y, groups)
    return estimates


@pytest.mark.parametrize("name", RULES)
def test_easy_rules_are_recovered_with_groups_and_without(found, name):
    pid = found[name].pid
    assert (pid.redundancy, pid.unique1, pid.unique2, pid.synergy) == pytest.approx(RULES[name][1], abs=0.08)


def test_the_parts_of_the_synergy_are_not_estimated(found):
    xor = found["xor"]
    assert np.isnan([xor.pid.synergy_additive, xor.pid.synergy_interaction, xor.p_interaction, xor.pid.gap]).all()
    assert np.isnan(xor.intervals["synergy_interaction"]).all()
    assert xor.p_synergy == pytest.approx(1 / 21)
    assert found["redundant"].pid.synergy < 0.02
    assert any("leave out how training varies" in warning for warning in xor.warnings)


def test_donors_alone_tell_little(monkeypatch):
    monkeypatch.setattr(neural, "CLASSIFIER_STEPS", (100, 100))
    monkeypatch.setattr(neural, "COUPLING_STEPS", (30, 30))
    noise = draw("donors_noise", n=900, seed=0)
    within = batch(noise.x1, noise.x2, noise.y, noise.groups)
    assert all(np.isfinite(within.value(term)) for term in ("I1", "I2", "I12", "synergy_raw"))
    assert within.group_information > 0.3
    assert within.mutual_information.I12 < 0.1


def test_the_same_seed_gives_the_same_bytes_and_leaves_the_generator_alone(monkeypatch):
    monkeypatch.setattr(neural, "CLASSIFIER_STEPS", (20, 20))
    monkeypatch.setattr(neural, "COUPLING_STEPS", (10, 10))
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 240)
    x1, x2, groups = view(y, rng), view(y, rng), np.arange(240) % 6
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, again = (batch(x1, x2, y, groups, seed=2) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert first.replicates.to_numpy().tobytes() == again.replicates.to_numpy().tobytes()


def test_scaling_meets_the_marginals():
    torch.manual_seed(0)
    tables = torch.rand(3, 40, 1), torch.rand(3, 30, 1)
    first, second = common_mass(*(table / table.sum() for table in tables))
    torch.testing.assert_close(first.sum(dim=1), second.sum(dim=1))
    affinity = Coupling(4, 5, 3)(torch.randn(40, 4), torch.randn(30, 5)).detach()
    left, right = scale(affinity, first, second, n_iterations=100)
    coupling = left * affinity * right.mT
    torch.testing.assert_close(coupling.sum(dim=2), first[..., 0], atol=1e-6, rtol=1e-3)
    torch.testing.assert_close(coupling.sum(dim=1), second[..., 0], atol=1e-6, rtol=1e-3)
    least = torch.maximum(table_information(first), table_information(second))
    assert coupled_information(coupling) >= least - 1e-5


def test_the_informations_of_tables_are_exact():
    bit = torch.eye(2, dtype=torch.float64) / 2
    assert table_information(bit[..., None]).item() == pytest.approx(np.log(2))
    xor = torch.tensor([[[0.25, 0], [0, 0.25]], [[0, 0.25], [0.25, 0]]], dtype=torch.float64)
    assert coupled_information(xor).item() == pytest.approx(np.log(2))
    assert coupled_information(torch.full((2, 2, 2), 1 / 8)).item() == pytest.approx(0, abs=1e-6)
