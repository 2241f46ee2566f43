from dataclasses import astuple

import numpy as np
import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.information.discrete import joint_informations
from beyond_alignment.information.gates import GATES, gate

AND = 0.8112781244591328
VIEW = 0.5310044064107188
TRUTH = {
    "redundant": (1, 1, 1),
    "unique1": (1, 0, 1),
    "unique2": (0, 1, 1),
    "copy": (1, 1, 2),
    "xor": (0, 0, 1),
    "and": (AND - 0.5, AND - 0.5, AND),
    "sum": (0.5, 0.5, 1.5),
    "noisy_views": (VIEW, VIEW, 0.742085859),
}


def test_every_gate_is_pinned():
    assert set(TRUTH) == set(GATES)


@pytest.mark.parametrize("name", TRUTH)
def test_the_informations_are_those_of_the_textbook(name):
    assert astuple(joint_informations(gate(name))) == pytest.approx(TRUTH[name], abs=1e-8)


def test_a_caller_cannot_change_the_gates():
    gate("xor")[:] = 0
    assert gate("xor").sum() == 1
    with pytest.raises(ValueError, match="read-only"):
        GATES["xor"][0, 0, 0] = 1


def test_sum_counts_the_ones():
    assert np.array_equal(gate("sum").sum(axis=(0, 1)), [0.25, 0.5, 0.25])


def test_an_unknown_gate_is_named():
    with pytest.raises(InputError, match=r"'nand'.*xor"):
        gate("nand")
