"""A named grid holds what it says, under splits that do not leak."""

import pytest

from beyond_alignment.benchmark.grid_sets import GRID_SETS, PUBLISHED, plan_grid
from beyond_alignment.benchmark.simulated_tissue import simulate_tissue
from beyond_alignment.datasets import read_release
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.fusion.network import Shape
from beyond_alignment.fusion.registry import trained_parameters
from beyond_alignment.tasks import get_task
from beyond_alignment.tasks.labels import absence
from beyond_alignment.tasks.registry import TASKS


@pytest.fixture(scope="module")
def data_sets():
    return {name: read_release(name) for name in ("her2st", "mob", "crc_visium")} | {"simulated": simulate_tissue()}


@pytest.mark.parametrize("name", list(GRID_SETS))
def test_a_named_grid_is_complete_and_by_main_split(data_sets, name):
    contests, chosen = plan_grid(data_sets, name), GRID_SETS[name]
    held = [task for task in chosen.tasks if not absence(data_sets[TASKS[task].data_set], task)]
    assert {c.task for c in contests} == set(held) == set(chosen.tasks)
    assert {c.seed for c in contests} == set(range(chosen.n_seeds))
    assert all(c.split == get_task(c.task).splits[0] for c in contests)
    assert len(contests) == len(set(contests)) == len(held) * len(chosen.methods) * chosen.n_seeds


def test_the_quick_grid_holds_every_family_and_the_reference_grid_holds_all():
    families = {FUSION_METHODS[name].family for name in GRID_SETS["quick"].methods}
    assert families == {record.family for record in FUSION_METHODS.values()}
    assert GRID_SETS["reference"].methods == tuple(FUSION_METHODS)
    assert GRID_SETS["reference"].n_seeds >= 5


def test_the_published_grid_holds_every_method_of_a_published_size_that_two_cores_train():
    shape = Shape(50, 50, 8, "classification", 64)
    sizes = {name: trained_parameters(name, shape, size="published") for name in FUSION_METHODS}
    feasible = tuple(n for n, m in FUSION_METHODS.items() if m.published and sizes[n] <= 2_500_000)
    assert feasible == PUBLISHED
    assert GRID_SETS["published"].options == {name: {"size": "published"} for name in PUBLISHED}
    assert GRID_SETS["reference"].options == {}


def test_an_unknown_grid_is_named():
    with pytest.raises(InputError, match="choose quick or published or published_quick or reference"):
        plan_grid({}, "large")
