"""Growth of cost is the exponent of a power law between the largest sizes."""

import pandas as pd
import pytest

from beyond_alignment.benchmark.cost_growth import cost_growth
from beyond_alignment.errors import InputError


def table_of(**change):
    """Return costs of two methods, one linear and one quadratic in time, with a fixed cost at small sizes."""
    sizes = [1_000, 10_000, 100_000]
    rows = [
        {"n": n, "features_1": 64, "features_2": 32, "method": method, "seconds": max(0.5, 1e-3 * n**power / 10**power),
         "peak_gb": 0.5 * n}
        for method, power in (("concat", 1.0), ("low_rank", 2.0))
        for n in sizes
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**change)


def test_a_power_law_gives_its_exponent():
    found = cost_growth(table_of().sample(frac=1, random_state=0)).set_index("method")
    assert found.loc["concat", "seconds_exponent"] == pytest.approx(1.0)
    assert found.loc["low_rank", "seconds_exponent"] == pytest.approx(2.0)
    assert found["peak_gb_exponent"].tolist() == pytest.approx([1.0, 1.0])
    assert found["to_n"].tolist() == [100_000, 100_000]


def test_what_has_no_growth_is_refused():
    with pytest.raises(InputError, match="takes two"):
        cost_growth(table_of().query("n == 1000"))
    with pytest.raises(InputError, match="several numbers of features"):
        cost_growth(table_of(features_1=range(6)))
