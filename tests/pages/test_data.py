"""What the page on data says of the releases and of raw counts."""

import pytest

from beyond_alignment import study
from beyond_alignment.pages import data


@pytest.fixture(scope="module")
def found():
    return data.releases()


@pytest.fixture(scope="module")
def raw():
    return study.stored("raw_counts").table(data.raw_plan())


def test_every_section_of_the_release_was_counted_and_keeps_its_published_spots(found, raw):
    table = data.sections(found, raw).set_index("section")
    for tissue in found.values():
        spots = tissue.obs["section"].value_counts()
        assert table.loc[spots.index, "spots"].tolist() == spots.tolist()
    assert table["error, %"].max() < 0.5


def test_only_what_is_at_hand_is_counted_again():
    held = {"her2st": ("A1", "A2"), "mob": (), "crc_visium": ("crc",), "xenium_breast_crop": ()}
    assert data.raw_check(held) == [
        {"data_set": "her2st", "section": "A1"},
        {"data_set": "crc_visium", "section": "crc"},
    ]


def test_shares_of_classes_add_up_to_one_in_every_donor(found):
    shares = data.class_shares(found)
    assert shares.groupby("task")[["donor A", "donor B", "donor C"]].sum().to_numpy() == pytest.approx(1)


def test_every_label_says_what_it_was_made_from(found):
    labels = data.labels(found).set_index("task")
    assert (labels["made from"] != "").all()
    assert labels.loc["bacteria", "made from"] == "independent"


def test_numbers_of_raw_counts_are_those_of_the_table(raw):
    numbers = data.depth_numbers(raw)
    assert numbers["n_counted"] == raw["spots_before"].sum()
    assert numbers["depth_low"] == raw["lowest_depth"].min()
    assert (raw["depth_after"].dropna() == 10000).all()
