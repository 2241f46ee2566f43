"""Tables of fits and crossovers from the rows of a run."""

import numpy as np
import pandas as pd
import pytest

from beyond_alignment.benchmark.crossover import Outcome
from beyond_alignment.benchmark.scaling_tables import (
    crossover_table,
    curve_scores,
    find_crossovers,
    fit_curves,
    fit_table,
)
from beyond_alignment.errors import InputError

SIZES = {0.01: 20.0, 0.0316: 63.0, 0.1: 200.0, 0.316: 632.0, 1.0: 2000.0}
LAWS = {"expression_only": (0.7, 0.6, 0.5), "morphology_only": (0.6, 0.6, 0.5), "concat": (0.8, 1.8, 0.5)}


def curves(n_seeds=4, shift=0.0):
    rng = np.random.default_rng(0)
    rows = []
    for task, less in (("niche", 0.0), ("domain", shift)):
        for method, (c, a, b) in LAWS.items():
            for fraction, n in SIZES.items():
                for seed in range(n_seeds):
                    value = c - a * n**-b - less * (method == "concat") + 1e-4 * rng.normal()
                    rows.append({"task": task, "split": "donor", "method": method, "fraction": fraction, "seed": seed,
                                 "metric": "macro_f1", "value": value, "n_train": n})  # fmt: skip
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


def test_tables_hold_what_made_the_curves():
    made = curves(shift=0.2)
    fits = fit_curves(made, metric="macro_f1", n_bootstrap=50)
    table = fit_table(fits).set_index(["task", "method"])
    for method, (c, a, b) in LAWS.items():
        row = table.loc[("niche", method)]
        assert row[["exponent", "asymptote"]].to_list() == pytest.approx([b, c], abs=0.02)
        assert row["predicted"] == pytest.approx(c - a * 20_000**-b, abs=0.01)
        assert row["at"] == 20_000
        assert row["extrapolated"]
    assert not table.isna().to_numpy().any()
    found = find_crossovers(made, fits, metric="macro_f1", fused=["concat", "low_rank"], n_bootstrap=50)
    assert set(found) == {("niche", "donor", "concat"), ("domain", "donor", "concat")}
    niche = found["niche", "donor", "concat"]
    assert niche["fits"].value == pytest.approx(144, rel=0.03)
    assert 63 < niche["points"].value < 200
    assert found["domain", "donor", "concat"]["points"].value == Outcome.NEVER
    shown = crossover_table(found).set_index("task")
    assert shown.loc["domain", "points"] == "never within the range (100 % of resamples)"
    assert (shown.loc["domain", "points_never"], shown.loc["niche", "points_never"]) == (1, 0)
    assert not shown.isna().to_numpy().any()


def test_incomplete_and_doubled_curves_are_refused():
    made = curves()
    with pytest.raises(InputError, match="hold no r2; they hold macro_f1"):
        curve_scores(made, metric="r2")
    with pytest.raises(InputError, match="two scores of one fraction and seed"):
        curve_scores(pd.concat([made, made]), metric="macro_f1")
    with pytest.raises(InputError, match="not finite"):
        fit_curves(made.iloc[1:], metric="macro_f1")
    fits = fit_curves(made, metric="macro_f1", n_bootstrap=10)
    with pytest.raises(InputError, match="No unimodal curve of"):
        find_crossovers(made, fits, metric="macro_f1", fused=["concat"], unimodal=["fine_tuned"])


def test_a_path_with_other_seeds_than_the_fusion_is_named():
    made = curves()
    kept = made[(made["method"] != "morphology_only") | (made["seed"] < 2)]
    fits = fit_curves(kept, metric="macro_f1", n_bootstrap=20)
    message = "concat and morphology_only of .* do not pair: they have 5 x 4 and 5 x 2 sizes x seeds; run the same"
    with pytest.raises(InputError, match=message):
        find_crossovers(kept, fits, metric="macro_f1", fused=["concat"])
    found = find_crossovers(kept, fits, metric="macro_f1", fused=["concat"], unimodal=["expression_only"])
    assert len(found) == 2
