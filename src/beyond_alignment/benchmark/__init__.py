"""The benchmark: every fusion method on every task under splits that do not leak, with intervals."""

from beyond_alignment.benchmark import patterns
from beyond_alignment.benchmark.benchmark_report import BenchmarkReport, report_benchmark
from beyond_alignment.benchmark.calibration import calibrate
from beyond_alignment.benchmark.calibration_summary import summarise_calibration, summarise_scenarios
from beyond_alignment.benchmark.captured import captured, label_truth
from beyond_alignment.benchmark.captured_bars import check_bars, count_bars, summarise_captured
from beyond_alignment.benchmark.cells import Failure, FitMany, TrainingSet, fit_one_by_one
from beyond_alignment.benchmark.compare import Comparison, compare_fusion
from beyond_alignment.benchmark.cost_growth import cost_growth
from beyond_alignment.benchmark.crossover import Crossover, Outcome
from beyond_alignment.benchmark.curve_finetuned import (
    FINETUNED,
    SURROGATES,
    finetuned_curves,
    finetuning_costs,
    raw_reasons,
    surrogate_curves,
)
from beyond_alignment.benchmark.curve_fit import CurveFit, Prediction, fit_curve
from beyond_alignment.benchmark.curve_grid import CONTESTANTS, CurveGrid, run_curves
from beyond_alignment.benchmark.curve_problems import CurveProblems, pose_curves
from beyond_alignment.benchmark.decision_rules import RULES, Thresholds, fit_thresholds
from beyond_alignment.benchmark.decision_table import DecisionTable, decision_table
from beyond_alignment.benchmark.describe import describe_splits, describe_tasks
from beyond_alignment.benchmark.dialled_tissue import (
    LEVELS,
    DialledLabel,
    dialled_label,
    dialled_problems,
    known_information,
)
from beyond_alignment.benchmark.grid import Grid, run_grid
from beyond_alignment.benchmark.grid_sets import GRID_SETS, GridSet, plan_grid, under_main_split
from beyond_alignment.benchmark.information_claims import information_claims
from beyond_alignment.benchmark.known_truth_leads import known_truth_leads
from beyond_alignment.benchmark.large_samples import large_samples
from beyond_alignment.benchmark.leads import first_leads, lead_curve, mean_interval
from beyond_alignment.benchmark.method_claims import captured_claims, family_draws, niche_claim
from beyond_alignment.benchmark.method_comparison import compare_with_experts, score_draws, verdict_sentence
from beyond_alignment.benchmark.method_cost import method_costs, size_study
from beyond_alignment.benchmark.method_table import describe_methods
from beyond_alignment.benchmark.metrics import Score, Statistics, score, statistics, tile_weights
from beyond_alignment.benchmark.pareto import on_front
from beyond_alignment.benchmark.plan import plan_contests, skipped_tasks
from beyond_alignment.benchmark.predictions import Predictions
from beyond_alignment.benchmark.problem import Contest, make_problem, pose
from beyond_alignment.benchmark.ranks import Ranks, critical_difference, rank_methods
from beyond_alignment.benchmark.regret import Regret, judge_rules
from beyond_alignment.benchmark.report import (
    by_field,
    chance_levels,
    colour_duel,
    field_change,
    field_gains,
    main_contests,
    main_gains,
)
from beyond_alignment.benchmark.runner import out_of_fold, run_benchmark
from beyond_alignment.benchmark.scaling import FRACTIONS, nested_order, subset
from beyond_alignment.benchmark.scaling_claims import scaling_claims
from beyond_alignment.benchmark.scaling_report import (
    area_under_curve,
    at_most_spots,
    crossings_by_sis,
    curve_points,
    leading_by_score,
    pareto_table,
    points_to_judge,
)
from beyond_alignment.benchmark.scaling_tables import crossover_table, find_crossovers, fit_curves, fit_table
from beyond_alignment.benchmark.score_agreement import (
    RankAgreement,
    gain_draws,
    published_draws,
    rank_over_tasks,
    term_draws,
)
from beyond_alignment.benchmark.scoreboard import Scoreboard, build_scoreboard, chance_macro_f1, gains
from beyond_alignment.benchmark.significance import Difference, holm, scope
from beyond_alignment.benchmark.simulated_tissue import simulate_tissue, simulated_truth
from beyond_alignment.benchmark.sis_against_gain import ONE_MODALITY, TaskRelation, beside_sis, relate_gain
from beyond_alignment.benchmark.sis_table import sis_table
from beyond_alignment.benchmark.size_comparison import compare_sizes
from beyond_alignment.benchmark.tissue_information import TissueInformation, tissue_decompositions
from beyond_alignment.benchmark.verdicts import LONG_RANGE, NEGLIGIBLE, a_gain, benchmark_claims, no_gain

__all__ = [
    "CONTESTANTS",
    "FINETUNED",
    "FRACTIONS",
    "GRID_SETS",
    "LEVELS",
    "LONG_RANGE",
    "NEGLIGIBLE",
    "ONE_MODALITY",
    "RULES",
    "SURROGATES",
    "BenchmarkReport",
    "Comparison",
    "Contest",
    "Crossover",
    "CurveFit",
    "CurveGrid",
    "CurveProblems",
    "DecisionTable",
    "DialledLabel",
    "Difference",
    "Failure",
    "FitMany",
    "Grid",
    "GridSet",
    "Outcome",
    "Prediction",
    "Predictions",
    "RankAgreement",
    "Ranks",
    "Regret",
    "Score",
    "Scoreboard",
    "Statistics",
    "TaskRelation",
    "Thresholds",
    "TissueInformation",
    "TrainingSet",
    "a_gain",
    "area_under_curve",
    "at_most_spots",
    "benchmark_claims",
    "beside_sis",
    "build_scoreboard",
    "by_field",
    "calibrate",
    "captured",
    "captured_claims",
    "chance_levels",
    "chance_macro_f1",
    "check_bars",
    "colour_duel",
    "compare_fusion",
    "compare_sizes",
    "compare_with_experts",
    "cost_growth",
    "count_bars",
    "critical_difference",
    "crossings_by_sis",
    "crossover_table",
    "curve_points",
    "decision_table",
    "describe_methods",
    "describe_splits",
    "describe_tasks",
    "dialled_label",
    "dialled_problems",
    "family_draws",
    "field_change",
    "field_gains",
    "find_crossovers",
    "finetuned_curves",
    "finetuning_costs",
    "first_leads",
    "fit_curve",
    "fit_curves",
    "fit_one_by_one",
    "fit_table",
    "fit_thresholds",
    "gain_draws",
    "gains",
    "holm",
    "information_claims",
    "judge_rules",
    "known_information",
    "known_truth_leads",
    "label_truth",
    "large_samples",
    "lead_curve",
    "leading_by_score",
    "main_contests",
    "main_gains",
    "make_problem",
    "mean_interval",
    "method_costs",
    "nested_order",
    "niche_claim",
    "no_gain",
    "on_front",
    "out_of_fold",
    "pareto_table",
    "patterns",
    "plan_contests",
    "plan_grid",
    "points_to_judge",
    "pose",
    "pose_curves",
    "published_draws",
    "rank_methods",
    "rank_over_tasks",
    "raw_reasons",
    "relate_gain",
    "report_benchmark",
    "run_benchmark",
    "run_curves",
    "run_grid",
    "scaling_claims",
    "scope",
    "score",
    "score_draws",
    "simulate_tissue",
    "simulated_truth",
    "sis_table",
    "size_study",
    "skipped_tasks",
    "statistics",
    "subset",
    "summarise_calibration",
    "summarise_captured",
    "summarise_scenarios",
    "surrogate_curves",
    "term_draws",
    "tile_weights",
    "tissue_decompositions",
    "under_main_split",
    "verdict_sentence",
]
