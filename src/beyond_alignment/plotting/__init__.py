"""Every figure of the book, in one style."""

from beyond_alignment.plotting.alignment import plot_spectrum
from beyond_alignment.plotting.alignment_tissue import plot_terms_retained, plot_tissue_ceilings
from beyond_alignment.plotting.calibration import plot_calibration
from beyond_alignment.plotting.captured import plot_captured
from beyond_alignment.plotting.collapse import plot_descent, plot_dial, plot_shares_by_directions, plot_shares_by_size
from beyond_alignment.plotting.collapse_picture import plot_collapse
from beyond_alignment.plotting.contrasts import plot_contrasts
from beyond_alignment.plotting.critical_difference import plot_ranks
from beyond_alignment.plotting.decomposition import plot_decompositions, plot_gates
from beyond_alignment.plotting.finetuning_gains import plot_finetuning_gains
from beyond_alignment.plotting.lead_map import plot_lead_map
from beyond_alignment.plotting.learning_curves import plot_fitted_curves
from beyond_alignment.plotting.pareto import plot_pareto
from beyond_alignment.plotting.scaling import plot_crossings, plot_regret
from beyond_alignment.plotting.scores import plot_gains, plot_scores
from beyond_alignment.plotting.simulated_field import plot_simulated_field
from beyond_alignment.plotting.token_clusters import plot_cluster_worth
from beyond_alignment.plotting.token_meeting import plot_meeting
from beyond_alignment.plotting.token_tiles import plot_example_tiles
from beyond_alignment.plotting.tokens import plot_arms, plot_predictability
from beyond_alignment.plotting.training_budgets import plot_training_budgets

__all__ = [
    "plot_arms",
    "plot_calibration",
    "plot_captured",
    "plot_cluster_worth",
    "plot_collapse",
    "plot_contrasts",
    "plot_crossings",
    "plot_decompositions",
    "plot_descent",
    "plot_dial",
    "plot_example_tiles",
    "plot_finetuning_gains",
    "plot_fitted_curves",
    "plot_gains",
    "plot_gates",
    "plot_lead_map",
    "plot_meeting",
    "plot_pareto",
    "plot_predictability",
    "plot_ranks",
    "plot_regret",
    "plot_scores",
    "plot_shares_by_directions",
    "plot_shares_by_size",
    "plot_simulated_field",
    "plot_spectrum",
    "plot_terms_retained",
    "plot_tissue_ceilings",
    "plot_training_budgets",
]
