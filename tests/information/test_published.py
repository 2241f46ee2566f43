"""The published score on exact gates, and the reference values of their synergy."""

import pytest

from beyond_alignment.information import decompose_gates, published_score_of_gates

# Redundancy and synergy of the same gates from an exponential-cone solve of the convex programme (bits)
REFERENCE_SYNERGY = {"redundant": 0, "unique1": 0, "unique2": 0, "copy": 0, "xor": 1, "and": 0.5, "sum": 1}


def test_the_score_is_undefined_on_pure_synergy_and_one_on_none():
    table = published_score_of_gates().set_index("gate")
    assert table.loc["xor", "score"] == "undefined"
    assert table.loc["copy", "score"] == pytest.approx(1)
    assert table.loc["copy", "synergy"] == 0
    assert table.loc["redundant", "score"] == 0


def test_synergy_equals_the_reference():
    table = published_score_of_gates().set_index("gate")
    for gate, synergy in REFERENCE_SYNERGY.items():
        assert table.loc[gate, "synergy"] == pytest.approx(synergy, abs=1e-9)
    assert table.loc["noisy_views", "synergy"] == pytest.approx(0.211, abs=1e-3)
    assert table.loc[["copy", "xor", "sum"], "sis"].tolist() == pytest.approx([0, 1, 2 / 3])


def test_the_gain_is_synergy_and_the_smaller_unique_part():
    parts = decompose_gates().query("measure == 'BROJA'")
    gain = parts["I12"] - parts[["I1", "I2"]].max(axis=1)
    assert gain.tolist() == pytest.approx(
        (parts["synergy"] + parts[["unique1", "unique2"]].min(axis=1)).tolist(), abs=1e-8
    )
