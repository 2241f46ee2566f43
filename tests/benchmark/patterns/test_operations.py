"""Operations of one spot against counts by hand, and their growth with the tokens against theory."""

import pytest

from beyond_alignment.benchmark.patterns.operations import growth_with_tokens, pattern_operations
from beyond_alignment.errors import InputError


def test_the_sum_costs_its_four_matrices():
    width = 84  # 2 (50 w + w + 64 w + 64) + a head of 64 x 6 + 6 is the most within 20,000 parameters
    table = pattern_operations(["sum"])
    assert table["operations"].tolist() == [2 * 2 * (50 * width + width * 64)]


def test_attention_reads_the_square_of_the_tokens_unless_one_token_reads():
    reads = ["attention_pooling", "uniform", "bottleneck", "cross_attention"]
    growth = growth_with_tokens(pattern_operations(reads, tokens=(4, 2**12, 2**13)))
    assert growth["attention_pooling"] == pytest.approx(1, abs=0.02)  # one query
    assert growth["cross_attention"] == pytest.approx(1, abs=0.02)  # one layer, in which one token reads
    assert growth["uniform"] == pytest.approx(2, abs=0.05)
    assert growth["bottleneck"] == pytest.approx(2, abs=0.05)
    published = pattern_operations(["cross_attention"], tokens=(4, 2**12, 2**13), size="published")
    assert growth_with_tokens(published)["cross_attention"] == pytest.approx(2, abs=0.1)  # four layers


def test_neighbours_are_paid_for():
    operations = pattern_operations(["bottom_up", "sum"]).set_index("method")["operations"]
    assert operations["bottom_up"] > 3 * operations["sum"]


def test_what_has_no_tokens_or_no_network_is_refused():
    with pytest.raises(InputError, match="concat is no network"):
        pattern_operations(["concat"])
    with pytest.raises(InputError, match="cannot be built"):
        pattern_operations(["sum"], tokens=(8,))
