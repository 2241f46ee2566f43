"""Both measures on every gate: where they agree, where they part, and the parts of the synergy."""

import pytest

from beyond_alignment.information.gate_table import decompose_gates
from beyond_alignment.information.gates import GATES

PARTS = {  # bits: redundancy, unique1, unique2, additive and interaction synergy
    "redundant": (1, 0, 0, 0, 0),
    "unique1": (0, 1, 0, 0, 0),
    "unique2": (0, 0, 1, 0, 0),
    "copy": (0, 1, 1, 0, 0),
    "xor": (0, 0, 0, 0, 1),
    "and": (0.311278, 0, 0, 0.5, 0),
    "sum": (0.5, 0, 0, 1, 0),
    "noisy_views": (0.531004, 0, 0, 0.211081, 0),
}


@pytest.fixture(scope="module")
def table():
    return decompose_gates().set_index(["measure", "gate"])


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_has_its_parts(table, gate):
    row = table.loc[("BROJA", gate)]
    names = ["redundancy", "unique1", "unique2", "synergy_additive", "synergy_interaction"]
    assert row[names].tolist() == pytest.approx(PARTS[gate], abs=1e-6)
    assert row["gap"] < 1e-6


def test_the_measures_part_on_copy_alone(table):
    terms = ["redundancy", "unique1", "unique2", "synergy"]
    differ = {
        gate
        for gate in GATES
        if table.loc[("BROJA", gate), terms].tolist()
        != pytest.approx(table.loc[("I_min", gate), terms].tolist(), abs=1e-6)
    }
    assert differ == {"copy"}
    assert table.loc[("I_min", "copy"), terms].tolist() == pytest.approx([1, 0, 0, 1])
