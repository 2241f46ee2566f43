"""The benchmark: every fusion method on every task under splits that do not leak, with intervals."""

from beyond_alignment.benchmark.compare import Comparison, compare_fusion
from beyond_alignment.benchmark.curve_finetuned import FINETUNED
from beyond_alignment.benchmark.curve_grid import CONTESTANTS, CurveGrid, run_curves
from beyond_alignment.benchmark.own_curves import own_problem
from beyond_alignment.benchmark.ranks import rank_methods
from beyond_alignment.benchmark.scaling_report import pareto_table
from beyond_alignment.benchmark.scaling_tables import crossover_table, find_crossovers, fit_curves

__all__ = [
    "CONTESTANTS",
    "FINETUNED",
    "Comparison",
    "CurveGrid",
    "compare_fusion",
    "crossover_table",
    "find_crossovers",
    "fit_curves",
    "own_problem",
    "pareto_table",
    "rank_methods",
    "run_curves",
]
