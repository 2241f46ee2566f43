"""The table of methods says what a built network holds."""

from beyond_alignment.benchmark.method_table import describe_methods
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.fusion.network import Shape
from beyond_alignment.fusion.registry import make_fusion
from beyond_alignment.fusion.training import n_trained
from beyond_alignment.fusion.width import build, widest


def test_every_method_has_a_row_with_its_source_and_the_parameters_of_the_network_that_is_built():
    table = describe_methods(n_classes=4).set_index("method")
    assert list(table.index) == list(FUSION_METHODS)
    trained = table[table["common"] > 0]
    assert (trained["citation"].str.len() > 0).mean() > 0.8
    assert set(trained.index) == {name for name, record in FUSION_METHODS.items() if record.network is not None}
    name = "cross_attention"
    estimator = make_fusion(name)
    shape = Shape(50, 50, 4, "classification", estimator.dimension)
    options = dict(estimator.options or {})
    width = widest(estimator.network, shape, budget=estimator.budget, options=options)
    network = build(estimator.network, shape, width=width, seed=0, options=options)
    assert table.loc[name, "common"] == n_trained(network) <= estimator.budget
    assert table.loc["bottleneck", "published"] > 50_000_000
