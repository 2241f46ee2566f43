"""Verdicts on the alignment page follow the stated rules on tables whose answer is plain."""

import pandas as pd
import pytest

from beyond_alignment.pages.alignment.claims import alignment_claims

HEADS = {"cca_linear": "linear", "clip_nonlinear": "nonlinear", "bilinear": "interaction", "comm": "interaction"}


def shares(*, without=(), few=None, **changed):
    """All of the redundant label and nothing of the exclusive or in alignment; ``changed``: contender -> xor, many."""
    held = {
        ("cca_linear", "redundant"): 0.99, ("cca_linear", "xor"): 0.01, ("clip_nonlinear", "redundant"): 0.97,
        ("clip_nonlinear", "xor"): 0.0, ("clip_nonlinear", "unique1"): 0.02, ("bilinear", "redundant"): 0.9,
        ("bilinear", "xor"): 0.9, ("comm", "redundant"): 0.9, ("comm", "xor"): 0.8,
    }  # fmt: skip
    rows = []
    for (name, label), share in held.items():
        for n in (100, 10_000):
            for seed in (0, 1):
                value = changed.get(f"{name}_{label}", share) if n == 10_000 else share
                value = few if few is not None and n == 100 and label == "xor" else value
                rows += [
                    {"contender": name, "head": HEADS[name], "n": n, "seed": seed, "label": label, "probe": probe}
                    | {"share": value + 0.001 * seed if probe == "mlp" else -9.0}
                    for probe in ("linear", "mlp")
                ]
    return pd.DataFrame([row for row in rows if row["contender"] not in without])


def found(**changed):
    rows = [
        {"method": method, "n": n, "angle": 1.0, "low": 0.5, "high": 1.5, "n_seeds": 3}
        | {"found": changed.get(method, True) if n == 8000 else False}
        for method in ("info_nce", "clip", "byol")
        for n in (100, 8000)
    ]
    return pd.DataFrame(rows)


def hidden(names=("cca_linear", "clip_nonlinear")):
    rows = [
        {"law": law, "contender": name, "n": n, "seed": 0, "bits": 0.4 if "non" in name and n > 500 else 0.0}
        for law in ("gaussian", "squares")
        for name in names
        for n in (500, 5000)
    ]
    return pd.DataFrame(rows)


def records(angles=None, table=None, squares=None):
    made = alignment_claims(
        found() if angles is None else angles,
        shares() if table is None else table,
        hidden() if squares is None else squares,
    )
    return {record["claim"]: record for record in made}


def test_the_pattern_of_the_paper_is_replicated():
    made = records()
    assert list(made) == ["B4", "B5", "B6", "B7", "B14", "B16"]
    untestable = {claim for claim, record in made.items() if record["verdict"] == "cannot be tested here"}
    assert untestable == {"B14"}  # no encoder was trained
    assert {record["verdict"] for claim, record in made.items() if claim != "B14"} == {"replicated"}
    assert made["B4"]["value"] == pytest.approx(0.0105)
    assert made["B4"]["interval"] == pytest.approx((0.01, 0.02))  # outward to two decimals
    assert (made["B5"]["value"], made["B5"]["n"]) == (pytest.approx(0), 10_000)
    assert (made["B6"]["value"], made["B6"]["interval"], made["B6"]["n"]) == (1.0, (0.5, 1.5), 8000)
    assert made["B7"]["value"] == pytest.approx(0.9805)
    assert "value" not in made["B14"]  # a number for what was not tested would be compared
    assert "what is left of a unique label: 0.02" in made["B14"]["measured"]
    assert made["B16"]["value"] == pytest.approx(0.8005)


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({"cca_linear_redundant": 0.89}, {"B4"}),
        ({"cca_linear_xor": 0.2}, {"B4", "B5", "B7"}),
        ({"clip_nonlinear_xor": 0.2}, {"B5", "B7"}),
        ({"clip_nonlinear_redundant": 0.4}, {"B7"}),
        ({"comm_xor": 0.03}, {"B16"}),
        ({"bilinear_xor": 0.0, "bilinear_redundant": 0.0}, set()),
    ],
)
def test_what_breaks_a_claim_breaks_no_other(changed, broken):
    made = records(table=shares(**changed))
    assert {claim for claim, record in made.items() if record["verdict"] == "not replicated"} == broken


def test_more_data_is_judged_by_the_largest_sample_and_tells_the_change():
    record = records(table=shares(few=0.3))["B5"]
    assert record["verdict"] == "replicated"
    assert record["value"] == pytest.approx((0.0105 + 0.0005) / 2 - 0.3005)
    assert "its largest value at any size is 0.301" in record["measured"]


@pytest.mark.parametrize("method", ["info_nce", "clip"])
def test_both_contrastive_objectives_must_find_the_subspace(method):
    assert records(angles=found(**{method: False}))["B6"]["verdict"] == "not replicated"
    absent = found()[lambda table: table["method"] != method]
    assert records(angles=absent)["B6"]["verdict"] == "cannot be tested here"
    assert records(angles=found(byol=False))["B6"]["verdict"] == "replicated"


def test_what_was_not_run_is_left_open():
    assert records(table=shares(without=("comm",)))["B16"]["verdict"] == "cannot be tested here"
    record = records(squares=hidden(["cca_linear"]))["B14"]
    assert (record["verdict"], record["measured"]) == ("cannot be tested here", "no encoder was trained")
