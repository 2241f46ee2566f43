"""I_min against values of Williams & Beer (2010) and by hand."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from beyond_alignment.errors import InputError
from beyond_alignment.information import broja
from beyond_alignment.information.discrete import joint_informations
from beyond_alignment.information.gates import gate
from beyond_alignment.information.imin import imin

weights = arrays(np.float64, (3, 2, 4), elements=st.just(0.0) | st.floats(1e-9, 1)).filter(lambda w: w.sum() > 1e-3)


def redundancy(p):
    """The definition, outcome by outcome and in words of the paper: expected least specific information."""
    total, target = 0.0, p.sum((0, 1))
    for y in range(p.shape[2]):
        if target[y] == 0:
            continue
        told = []
        for table in (p.sum(1), p.sum(0)):
            told.append(
                sum(
                    row[y] / target[y] * (np.log2(1 / target[y]) - np.log2(1 / (row[y] / row.sum())))
                    for row in table
                    if row[y] > 0
                )
            )
        total += target[y] * min(told)
    return total


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("copy", (1, 0, 0, 1)),
        ("xor", (0, 0, 0, 1)),
        ("redundant", (1, 0, 0, 0)),
        ("unique1", (0, 1, 0, 0)),
        ("and", (0.311278124, 0, 0, 0.5)),
        ("rdnxor", (1, 0, 0, 1)),
    ],
)
def test_gates(name, parts):
    assert astuple(imin(gate(name))) == pytest.approx(parts, abs=1e-9)


def test_the_example_of_the_paper():
    # Figure 4 A of Williams & Beer: three equally likely outcomes, each ruled out by one state of either source
    p = np.zeros((2, 2, 3))
    p[0, 0, 0] = p[0, 1, 1] = p[1, 0, 2] = 1 / 3
    third = np.log2(3) - 2 / 3
    found = imin(p)
    told_by = [found.I1, found.I2, found.I12]
    assert told_by == pytest.approx([third, third, np.log2(3)])
    assert found.redundancy == pytest.approx(redundancy(p))


@given(weights)
def test_it_is_the_definition_not_negative_and_adds_up(w):
    p = w / w.sum()
    found, told = imin(p), joint_informations(p)
    assert found.redundancy == pytest.approx(redundancy(p), abs=1e-9)
    assert min(astuple(found)) >= 0
    told_by = [found.I1, found.I2, found.I12]
    assert told_by == pytest.approx(list(astuple(told)), abs=1e-9)


def test_it_calls_more_redundant_than_broja_does():
    p = np.random.default_rng(0).dirichlet(np.ones(40)).reshape(4, 5, 2)
    assert imin(p).redundancy >= broja(p).redundancy


def test_the_input_is_checked():
    with pytest.raises(InputError, match="3 axes"):
        imin(np.ones((1, 1)))
