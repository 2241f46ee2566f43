"""Each study of the page is planned, stored whole and checked by rows of its plan; a tiny point of each is run."""

import pytest

from beyond_alignment.pages.alignment import angles, ceilings, hidden, picture, retained, shares, spectrum
from beyond_alignment.study_files import stored

STUDIES = {
    "alignment_picture": (picture.PLAN, picture.OPTIONS),
    "alignment_spectrum": (spectrum.PLAN, spectrum.OPTIONS),
    "alignment_angles": (angles.PLAN, angles.OPTIONS),
    "alignment_shares": (shares.BY_SIZE, shares.SIZE_OPTIONS),
    "alignment_dial": (shares.ALONG_DIAL, shares.DIAL_OPTIONS),
    "alignment_directions": (shares.BY_DIRECTIONS, shares.DIRECTION_OPTIONS),
    "alignment_hidden": (hidden.PLAN, hidden.OPTIONS),
    "alignment_ceilings": (ceilings.PLAN, ceilings.OPTIONS),
    "alignment_told": (retained.TOLD, retained.TOLD_OPTIONS),
    "alignment_terms": (retained.TERMS, retained.TERMS_OPTIONS),
}


def checked(name):
    plan, options = STUDIES[name]
    return [row for row in plan if any(wanted.items() <= row.items() for wanted in options["check"])]


@pytest.mark.parametrize("name", STUDIES)
def test_a_plan_is_stored_whole_and_its_check_picks_rows_of_it(name):
    plan, options = STUDIES[name]
    assert all(any(wanted.items() <= row.items() for row in plan) for wanted in options["check"])
    assert 0 < len(checked(name)) <= 25
    kept = stored(name)
    assert {tuple(row.values()) for row in plan} == {tuple(row[column] for column in plan[0]) for row in kept.rows}
    assert not kept.manifest["failed"]


def test_the_checks_touch_every_way_of_computing():
    assert {row["method"] for row in checked("alignment_angles")} == {row["method"] for row in angles.PLAN}
    assert {row["case"] for row in checked("alignment_angles")} == set(angles.CASES)
    assert {row["contender"] for row in checked("alignment_shares")} == set(shares.CONTENDERS)
    assert {row["contender"] for row in checked("alignment_hidden")} == set(hidden.HEADS)
    assert {row["data_set"] for row in checked("alignment_ceilings")} == set(ceilings.EXPRESSION)
    assert {row["directions"] > 0 for row in checked("alignment_told")} == {True, False}


def test_a_point_of_a_release_is_computed():
    found = ceilings.ceiling("mob", "hallmark", "colour", 200, n_components=5, n_permutations=20, n_bootstrap=5, seed=0)
    assert (found["n"], found["unit"]) == (1627, "donor")
    assert found["ceiling"] > found["null"]
    told = retained.told("region", 2)
    assert (told["data_set"], told["made_from"], told["n_folds"]) == ("her2st", "morphology", 5)


def test_what_is_read_is_named_by_release_and_task():
    names = set(ceilings.reads()) | set(retained.reads())
    assert {"mob X_pca", "her2st X_colour_600um", "crc_visium places", "region labels", "her2st donor"} <= names
