"""What a probe tells: the closed form of the permutation null, exact entropies, and probes that learnt nothing."""

import numpy as np
import pytest

from beyond_alignment.benchmark.captured_probes import PROBES, Reading, tell, told


def reading(z, y, *, prior):
    """A reading whose second half is scored."""
    half = len(y) // 2
    return Reading(z[:half], y[:half], z[half:], y[half:], np.asarray(prior))


def test_chance_and_spread_are_those_of_permutations():
    rng = np.random.default_rng(0)
    y, prior = rng.choice(3, 60, p=[0.5, 0.3, 0.2]), np.array([0.5, 0.3, 0.2])
    p = rng.dirichlet(np.ones(3), 60)
    found = told(p, y, prior)
    drawn = np.array([told(p, rng.permutation(y), prior).bits for _ in range(4000)])
    assert found.chance == pytest.approx(drawn.mean(), abs=5 * found.spread / 4000**0.5)
    assert found.spread == pytest.approx(drawn.std(), rel=0.05)


def test_sure_and_right_tells_the_exact_entropy_and_the_prior_nothing():
    y, prior = np.array([0, 0, 0, 1, 2, 2]), np.array([0.5, 0.25, 0.25])
    assert told(np.eye(3)[y].clip(1e-300), y, prior).bits == pytest.approx(1.5)
    alone = told(np.tile(prior, (6, 1)), y, prior)
    assert [alone.bits, alone.chance, alone.spread] == pytest.approx([0, 0, 0])


@pytest.mark.parametrize("probe", PROBES)
def test_many_at_once_tell_what_each_tells_alone(probe):
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2, (1200, 2))
    views = 2.0 * bits - 1 + 0.2 * rng.normal(size=bits.shape)
    labels = (bits[:, 0], bits[:, 0] & bits[:, 1], bits[:, 0] ^ bits[:, 1], rng.integers(0, 2, 1200))
    readings = [reading(3e4 * views + 5, y, prior=np.bincount(y) / len(y)) for y in labels]
    found = tell(probe, readings)
    for one, alone in zip(found, (tell(probe, [each])[0] for each in readings), strict=True):
        assert one.bits == pytest.approx(alone.bits, abs=1e-3)
    assert found[0].bits > 0.97
    assert found[1].bits > 0.78
    assert found[2].bits == pytest.approx(0.97 if probe == "mlp" else 0, abs=0.03)
    assert found[3].bits == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("probe", PROBES)
def test_a_representation_of_nothing_tells_nothing(probe):
    y = np.arange(400) % 2
    found = tell(probe, [reading(np.zeros((400, 3)), y, prior=[0.5, 0.5])])[0]
    assert found.bits == pytest.approx(0, abs=1e-3)
    assert found.spread == pytest.approx(0, abs=1e-6)
