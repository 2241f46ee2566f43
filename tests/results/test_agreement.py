import pytest

from beyond_alignment.results import Page, agree


def run(value, interval=None, tolerance=0.01):
    record = {"value": value, "interval": interval, "tolerance": tolerance}
    return {"values": {"x": record}, "claims": {}}


@pytest.mark.parametrize(
    ("quick", "reference", "agrees"),
    [
        (run(1.0, [0.8, 1.2]), run(1.3, [1.1, 1.5]), True),
        (run(1.0, [0.8, 1.2]), run(1.4, [1.3, 1.5]), False),
        (run(1.0, [0.8, 1.2]), run(1.1), True),
        (run(1.3), run(1.0, [0.8, 1.2]), False),
        (run(1.0), run(1.009), True),
        (run(1.0), run(1.02), False),
        (run(1.0, tolerance=0.05), run(1.02), True),
        (run(5, tolerance=None), run(9), None),
        (run("pca"), run("pca"), True),
        (run("pca"), run("hallmark"), False),
    ],
)
def test_agreement_is_overlap_or_tolerance(quick, reference, agrees):
    (pair,) = agree(quick, reference)
    assert pair.agrees is agrees


def test_what_only_one_run_holds_is_not_compared():
    assert agree(run(1.0), {"values": {"y": run(1.0)["values"]["x"]}, "claims": {}}) == ()


def test_a_page_shows_its_reference_beside_it(project, glued):
    quick, reference = (Page("01_a", profile=profile, parameters={}) for profile in ("quick", "reference"))
    assert "no reference run" in repr(quick.compare_reference())
    reference.value("gain", 0.5, interval=(0.45, 0.55))
    reference.write()
    quick.value("gain", 0.3, interval=(0.2, 0.4))
    quick.claim("B2", measured="x", value=0.1, data="a", verdict="replicated")
    assert list(quick.compare_reference().frame.iloc[0]) == [
        "gain",
        "0.300",
        "0.200 to 0.400",
        "0.500",
        "0.450 to 0.550",
        "no",
    ]
    assert "itself" in repr(reference.compare_reference())


@pytest.mark.parametrize(("comparable", "agrees"), [(True, False), (False, None)])
def test_a_claim_whose_number_grows_with_the_data_is_not_held_against_the_other_run(project, glued, comparable, agrees):
    runs = {}
    for profile, value in (("quick", 0.1), ("reference", 0.9)):
        page = Page("01_a", profile=profile, parameters={})
        interval = (value - 0.01, value + 0.01)
        said = {"measured": "x", "data": "a", "verdict": "replicated", "comparable": comparable}
        page.claim("M2", value=value, interval=interval, **said)
        runs[profile] = page.content()
    (pair,) = agree(runs["quick"], runs["reference"])
    assert (pair.key, pair.agrees) == ("M2", agrees)
