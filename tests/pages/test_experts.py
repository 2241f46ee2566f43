"""What the page on embeddings says of its studies."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from beyond_alignment import study
from beyond_alignment.pages import experts, experts_release, experts_tables

PLANS = {
    "expert_scores": (experts.score_plan, experts.SCORE_CHECK),
    "gene_prediction": (experts.gene_plan, experts.GENE_CHECK),
    "section_reading": (experts.section_plan, experts.SECTION_CHECK),
    "expert_ranks": (experts.rank_plan, experts.RANK_CHECK),
    "neighbour_agreement": (experts.agreement_plan, experts.AGREEMENT_CHECK),
    "release_verified": (experts_release.verify_plan, experts_release.CHECKED),
}


@pytest.mark.parametrize("name", PLANS)
def test_every_point_of_a_plan_is_stored_and_none_failed(name):
    plan, check = PLANS[name]
    known = study.stored(name)
    assert known.manifest["failed"] == []
    assert known.manifest["reads"].keys() <= set(experts.DATA_SETS)
    rows = known.points
    assert len(rows) == len(plan())
    for wanted in check:
        assert any(wanted.items() <= row.items() for row in plan())


def test_releases_are_written_to_executed_and_only_where_everything_is_computed(monkeypatch, tmp_path):
    made = AnnData(np.zeros((2, 1), dtype=np.float32), uns={"dataset": {"licence": "MIT", "source": "here"}})
    monkeypatch.setenv("BEYOND_ALIGNMENT_EXECUTED", str(tmp_path))
    monkeypatch.setattr(experts_release, "build_release", lambda name, **options: made)
    assert experts_release.write_releases("check", device="cpu", seed=0) == []
    assert list(tmp_path.iterdir()) == []
    assert experts_release.write_releases("all", device="cpu", seed=0) == list(experts.DATA_SETS)
    assert {path.name for path in (tmp_path / "data").glob("*.h5ad")} == {f"{name}.h5ad" for name in experts.DATA_SETS}


def test_a_data_set_is_verified_where_all_of_its_files_are_at_hand(monkeypatch):
    held = {"her2st": ("A1", "A2"), "mob": ("MOB1", "MOB2", "MOB3", "MOB4"), "crc_visium": ()}
    monkeypatch.setattr(experts_release, "find", lambda file: None)
    assert experts_release.verify_check(held) == []
    monkeypatch.setattr(experts_release, "find", lambda file: file.path)
    assert experts_release.verify_check(held) == [
        {"data_set": "mob", "part": "patches"},
        {"data_set": "mob", "part": "counts"},
    ]


def test_what_disagrees_with_the_release_is_counted():
    rows = pd.DataFrame(
        {
            "data_set": "mob",
            "part": ["counts", "patches", "patches", "counts"],
            "what": ["hallmark", "tissue_vit_200um", "colour_200um", "task_domain"],
            "spots": [9, 4, 4, 9],
            "max_difference": [0.0, 0.5, 0.1, np.nan],
            "agreement": [1.0, 0.9, 1.0, 1.0],
            "tolerance": [0.999, 0.999, 0.999, 0.99],
            "agrees": [True, False, True, True],
        }
    )
    table = experts_release.verified_table(rows).set_index("what")
    assert table["disagree"].to_dict() == {"embeddings of counts": 0, "patches": 1, "labels": 0}
    numbers = experts_release.verified_numbers(rows)
    assert (numbers["n_recomputed"], numbers["n_disagreeing"]) == (8, 1)
    assert numbers["lowest_cosine"]["value"] == 0.9


def test_agreement_of_pairs_fills_a_symmetric_matrix():
    pairs = pd.DataFrame({"first": ["a", "a", "b"], "second": ["b", "c", "c"], "agreement": [0.1, 0.2, 0.3]})
    matrix = experts_tables.agreement_matrix(pairs)
    assert matrix.to_numpy().tolist() == [[1, 0.1, 0.2], [0.1, 1, 0.3], [0.2, 0.3, 1]]


def test_the_variants_of_the_image_network_are_scored_under_one_name():
    names = experts.scored_experts("her2st")
    assert [name for name in names if "unseen" in name] == [f"tissue_vit_unseen_{f}um" for f in (100, 200, 600)]
    assert not [name for name in names if "without" in name]
