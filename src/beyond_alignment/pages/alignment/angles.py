"""How far training ends from the canonical subspace: by its length, by samples, and where an assumption is dropped."""

from collections.abc import Mapping
from itertools import product
from types import MappingProxyType
from typing import Any

import pandas as pd

from beyond_alignment.alignment.descent import canonical_angle
from beyond_alignment.alignment.linear_methods import LINEAR_METHODS
from beyond_alignment.experts.compute import Device

BASE = "as in theory"
GAP = (0.9, 0.8, 0.4, 0.3)
"""Correlations with a clear gap after the second: of two directions it is plain which they should be."""
TEMPERATURES = {f"temperature {t}": t for t in (0.03, 0.07, 0.3, 1.0)}
CASES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        BASE: {},
        "two of four": {"n_directions": 2, "correlations": GAP},
        "bits": {"latents": "bits"},
        **{case: {"options": {"temperature": t, "learned": False}} for case, t in TEMPERATURES.items()},
    }
)
"""Gaussian views and all four directions; fewer than are shared; views that are not Gaussian; CLIP at a temperature
that stays."""
METHODS = tuple(name for name in LINEAR_METHODS if name not in ("cca", "projection_raw"))
COLUMNS = ("case", "method", "n", "seed", "steps")
SIZES, STEPS, SEEDS = (1000, 10000, 100000), (30, 100, 300, 1000), range(3)
PLAN = [
    dict(zip(COLUMNS, values, strict=True))
    for values in (
        *product([BASE], ["cca"], SIZES, SEEDS, [0]),
        *product([BASE], METHODS, SIZES, SEEDS, STEPS),
        *product(
            ["two of four", "bits"],
            ["second_order", "info_nce", "clip", "projection", "projection_raw", "barlow_twins_strong"],
            [4000], SEEDS, [1000],
        ),
        *product(TEMPERATURES, ["clip"], [4000], SEEDS, [1000]),
        # Twins of what takes longer: short trainings that a check can repeat.
        *product(["two of four", "bits"], ["projection_raw"], [4000], [0], [30]),
        *product(TEMPERATURES, ["clip"], [4000], [0], [30]),
    )
]  # fmt: skip
OPTIONS: dict[str, Any] = {
    "check": [
        {"case": BASE, "n": 1000, "seed": 0, "steps": 30},
        {"method": "cca", "n": 1000, "seed": 0},
        {"n": 4000, "steps": 30},
    ],
    "n_jobs": -1,
}


def angle(case: str, method: str, n: int, seed: int, steps: int, device: Device) -> dict[str, float]:
    """Return degrees from the canonical subspace after one training."""
    return canonical_angle(method, n=n, steps=steps, seed=seed, device=device, **CASES[case])


def base(table: pd.DataFrame) -> pd.DataFrame:
    """Return the trainings under which theory holds."""
    return table[table["case"] == BASE].drop(columns="case")


def limits(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean degrees with their range over seeds where an assumption is dropped, a row an objective."""
    rows = table[(table["case"] != BASE) & (table["steps"] == max(STEPS))]
    found = rows.groupby(["case", "method"], sort=False)["angle"].agg(["mean", "min", "max"])
    cells: dict[str, dict[str, str]] = {}
    for (case, method), part in found.iterrows():
        label = f"{LINEAR_METHODS[method].label}, {case}" if case in TEMPERATURES else LINEAR_METHODS[method].label
        words = f"{part['mean']:.1f} ({part['min']:.1f} to {part['max']:.1f})"
        cells.setdefault(label, {})["nothing but that" if case in TEMPERATURES else case] = words
    return pd.DataFrame.from_dict(cells, orient="index").fillna("").rename_axis("objective").reset_index()


def numbers(found: pd.DataFrame) -> dict[str, Any]:
    """Return what the prose says of training, from :func:`beyond_alignment.alignment.found_subspaces`."""
    most, few = int(found["n"].max()), int(found["n"].min())
    last = found[found["n"] == most].set_index("method")
    worst = last.drop(index="cca").groupby("theory")["high"].max()
    clip = found[(found["method"] == "clip") & (found["n"] == few)]["angle"].iloc[0]
    spread = {"n": most, "digits": 2}
    return {
        "worst_proved": {"value": worst["proved"], **spread},
        "worst_measured": {"value": worst["measured"], **spread},
        "clip_few": {"value": clip, "n": few, "digits": 2},
        "least_distinct": {"value": last.loc[last["theory"] == "other", "distinct"].min(), **spread},
        "cca_to_truth": {"value": last.loc["cca", "to_truth"], **spread},
        "largest_descent": most,
        "fewest_descent": few,
        "n_seeds": int(last["n_seeds"].iloc[0]),
    }
