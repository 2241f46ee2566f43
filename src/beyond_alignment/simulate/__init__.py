"""Everything whose truth is known: planted bits, and scenarios whose decomposition is exact."""

from beyond_alignment.simulate.draw import KnownTruthSample, draw
from beyond_alignment.simulate.planted import (
    N_SHARED,
    LinearEmbeddingTask,
    dial_theory,
    dialled_task,
    linear_embedding_task,
    n_shared,
)
from beyond_alignment.simulate.scenario import Scenario, Symbol, decompose, mixture
from beyond_alignment.simulate.scenarios import SCENARIOS, truth
from beyond_alignment.simulate.tables import symbol_table

__all__ = [
    "N_SHARED",
    "SCENARIOS",
    "KnownTruthSample",
    "LinearEmbeddingTask",
    "Scenario",
    "Symbol",
    "decompose",
    "dial_theory",
    "dialled_task",
    "draw",
    "linear_embedding_task",
    "mixture",
    "n_shared",
    "symbol_table",
    "truth",
]
