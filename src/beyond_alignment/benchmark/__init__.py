"""The benchmark: every fusion method on every task under splits that do not leak, with intervals."""

from beyond_alignment.benchmark.compare import Comparison, compare_fusion
from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.benchmark.metrics import Score, score, tile_weights
from beyond_alignment.benchmark.plan import field_um, plan_contests
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.runner import Contest, make_problem, out_of_fold, pose, run_benchmark
from beyond_alignment.benchmark.scaling import FRACTIONS, learning_curves, nested_order, subset, summarise_curves
from beyond_alignment.benchmark.scoreboard import Scoreboard, build_scoreboard, chance_macro_f1, gains
from beyond_alignment.benchmark.store import PointStore, open_store

__all__ = [
    "FRACTIONS",
    "Comparison",
    "Contest",
    "PointStore",
    "Predictions",
    "Score",
    "Scoreboard",
    "build_scoreboard",
    "chance_macro_f1",
    "compare_fusion",
    "embedding",
    "field_um",
    "gains",
    "learning_curves",
    "make_problem",
    "nested_order",
    "open_store",
    "out_of_fold",
    "plan_contests",
    "pose",
    "run_benchmark",
    "score",
    "subset",
    "summarise_curves",
    "tile_weights",
]
