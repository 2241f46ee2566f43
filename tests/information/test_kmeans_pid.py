import numpy as np
import pytest
from beyond_alignment.information.kmeans_pid import cvx_pid

from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import PID, broja
from beyond_alignment.information.gates import gate

PARTS = tuple(PID.__dataclass_fields__)[:6]


def one_hot(name, n=400):
    """As many samples of each state as the gate has, sources as one-hot columns, label by name."""
    states = np.repeat(np.arange(gate(name).size), np.round(n * gate(name).ravel()).astype(int))
    i, j, y = np.unravel_index(np.random.default_rng(0).permutation(states), gate(name).shape)
    return np.eye(2)[i], np.eye(2)[j], y


@pytest.mark.parametrize("name", ["xor", "and", "sum", "copy", "noisy_views"])
def test_sources_of_few_states_give_the_decomposition_of_their_table(name):
    x1, x2, y = one_hot(name)
    counts = np.zeros(gate(name).shape)
    np.add.at(counts, (x1.argmax(axis=1), x2.argmax(axis=1), y), 1)
    found, exact = cvx_pid(x1, x2, y, n_bootstrap=10), broja(counts / counts.sum())
    for part in PARTS:
        assert getattr(found.pid, part) == pytest.approx(getattr(exact, part), abs=1e-5)
    assert found.pid.gap < 1e-6
    assert found.warnings == ()


def test_synergy_of_gates_is_certain_and_its_part_is_told():
    xor, copy = (cvx_pid(*one_hot(name), n_bootstrap=100) for name in ("xor", "copy"))
    assert xor.p_synergy == xor.p_interaction == pytest.approx(1 / 101)
    assert xor.sis == pytest.approx(1, abs=1e-3)
    assert copy.p_synergy > 0.05
    assert cvx_pid(*one_hot("and"), n_bootstrap=100).p_interaction > 0.05


def test_counts_of_many_clusters_invent_synergy_that_the_interval_takes_off():
    rng = np.random.default_rng(1)
    x1, x2, y = rng.normal(size=(1000, 12)), rng.normal(size=(1000, 12)), rng.integers(0, 2, 1000)
    found = cvx_pid(x1, x2, y, n_bootstrap=100, n_clusters=8)
    assert found.pid.synergy > 0.03
    assert found.intervals["synergy"][0] == 0
    assert found.p_synergy > 0.05
    assert "exaggerated" in found.warnings[0]


def test_blocks_are_resampled_whole_and_a_seed_gives_the_same_bytes():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 3, 600)
    x1, x2 = rng.normal(size=(600, 6)) + y[:, None], rng.normal(size=(600, 6)) - y[:, None]
    blocks = np.arange(600) // 50
    found, again = (cvx_pid(x1, x2, y, blocks=blocks, seed=3, n_bootstrap=20, n_clusters=6) for _ in range(2))
    assert found.replicates.to_numpy().tobytes() == again.replicates.to_numpy().tobytes()
    apart = cvx_pid(x1, x2, y, seed=3, n_bootstrap=20, n_clusters=6)
    assert apart.pid == found.pid
    assert not apart.replicates.equals(found.replicates)
    assert (found.method, found.n, found.n_groups, found.n_bootstrap) == ("cvx", 600, 0, 20)


def test_bad_samples_are_refused():
    with pytest.raises(InputError, match="one class"):
        cvx_pid(np.random.default_rng(0).normal(size=(300, 2)), np.eye(300), np.zeros(300))
