"""What the page on token-level fusion shows of its stored studies."""

import pandas as pd
import pytest

from beyond_alignment import study
from beyond_alignment.pages import tokens as studies
from beyond_alignment.pages import tokens_numbers as numbers
from beyond_alignment.tokens.arm_scores import best_arm

PLANS = {
    "token_scores": studies.score_plan,
    "token_readers": studies.reader_plan,
    "token_clips": studies.clip_plan,
    "token_genes": studies.gene_plan,
    "token_clusters": studies.cluster_plan,
}


@pytest.fixture(scope="module")
def tables():
    """The stored tables by name."""
    held = {name: study.stored(name) for name in PLANS}
    return {name: found.table(study._plan_rows(PLANS[name]())) for name, found in held.items()}


def test_every_point_is_stored_and_none_failed(tables):
    assert {name for name, table in tables.items() if "failure" in table} == set()
    assert not tables["token_scores"]["spearman"].isna().any()


def test_what_is_clustered_and_read_gene_by_gene_is_the_best_of_its_kind(tables):
    main = numbers.arm_scores(tables["token_scores"], tables["token_readers"])
    assert {best_arm(main, kind) for kind in ("morphology", "expression", "fusion")} == set(studies.BEST)
    assert best_arm(main, "fusion") == studies.BEST[-1]


def test_arms_and_readers_are_scored_on_the_same_tiles(tables):
    for programmes in (studies.ALL, *studies.PROGRAMMES):
        main = numbers.arm_scores(tables["token_scores"], tables["token_readers"], programmes=programmes)
        assert (main.groupby("fold")[["held out", "n_tiles"]].nunique() == 1).all(axis=None)
        assert (main.groupby("arm")["fold"].nunique() == 6).all()
        assert main["label"].notna().all()


def test_a_gain_along_the_dials_is_told_in_words_and_numbers(tables):
    gains = numbers.dial_gains(numbers.dial_scores(tables["token_scores"], tables["token_readers"]))
    told = numbers.dial_numbers(gains)
    assert {"every_redundant", "every_unique", "every_synergy", "synergy_gain", "unique_ceiling"} <= set(told)
    table = numbers.dial_table(gains)
    assert table.iloc[2, 4].startswith(f"{told['every_synergy'][0]:+.3f} (")


def test_the_untaught_expert_stands_beside_the_same_expression(tables):
    experts = numbers.expert_scores(tables["token_scores"], tables["token_readers"])
    same = experts[experts["arm"] == "expression_token"].groupby(["fold", "setting"])["spearman"].first().unstack()
    pd.testing.assert_series_equal(same["taught"], same["untaught"], check_names=False)
    assert set(numbers.expert_numbers(experts)) == {
        "taught_gain", "taught_morphology", "untaught_gain", "untaught_morphology",
    }  # fmt: skip


def test_the_genes_are_those_of_the_best_fusion(tables):
    table = numbers.gene_table(tables["token_genes"])
    assert len(table) == 40
    assert not table.isna().any(axis=None)
