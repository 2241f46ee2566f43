"""Lays out which methods, experts and splits a benchmark runs."""

from collections.abc import Mapping, Sequence

from anndata import AnnData

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import COUNTS_EXPERT
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.experts.embed import field_name
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.tasks.labels import absence
from beyond_alignment.tasks.registry import TASKS, SplitKind


def plan_contests(
    data_sets: Mapping[str, AnnData],
    *,
    expression: Sequence[str] = ("pca",),
    morphology: Sequence[str] = ("mobilenetv2",),
    fields_um: Sequence[int] = (600,),
    splits: Sequence[SplitKind] = ("donor", "section", "block"),
    methods: Sequence[str] = tuple(FUSION_METHODS),
    tasks: Sequence[str] = tuple(TASKS),
    n_seeds: int = 1,
) -> list[Contest]:
    """List every contest that the data sets can hold.

    A data set whose patches were embedded at other fields of view is run at its own ones, and simulated tissue with
    the experts that it was drawn with. The first morphology expert
    takes part in every method; the others are run alone, at the widest field. A task that a release does not carry
    is left out: :func:`skipped_tasks` says why.

    Parameters
    ----------
    data_sets
        Releases by name.
    expression
        Expression experts.
    morphology
        Morphology experts, without field of view.
    fields_um
        Fields of view of the patches, microns.
    splits
        Splits to run where a task allows them.
    methods
        Fusion methods.
    tasks
        Names of tasks.
    n_seeds
        Seeds 0, 1, ... of the methods.
    """
    contests = []
    for task in (TASKS[name] for name in tasks):
        if task.data_set not in data_sets or absence(data_sets[task.data_set], task.name):
            continue
        images, readers, main = _experts(data_sets[task.data_set], expression, morphology, fields_um)
        widest = max((field_um(name) for name in images), default=0)
        contests += [
            Contest(task.name, split, method, reads, sees, seed)
            for split in task.splits
            if split in splits
            for reads in readers
            if not task.imputes or reads == COUNTS_EXPERT
            for sees in images
            for method in methods
            if sees.startswith(main) or (method == "morphology_only" and field_um(sees) == widest)
            for seed in range(n_seeds)
        ]
    return contests


def _experts(
    adata: AnnData, expression: Sequence[str], morphology: Sequence[str], fields_um: Sequence[int]
) -> tuple[list[str], list[str], str]:
    """Return morphology experts, expression experts, and what the main morphology expert's name starts with."""
    if own := adata.uns.get(keys.DATASET, {}).get("experts"):  # simulated tissue has experts of its own
        return [str(own["morphology"])], [str(own["expression"])], str(own["morphology"])
    wanted = [field_name(expert, field) for expert in morphology for field in fields_um]
    images = [name for name in wanted if keys.embedding(name) in adata.obsm]
    images = images or [key[2:] for key in adata.obsm if key.startswith(tuple(f"X_{name}_" for name in morphology))]
    return images, list(expression), f"{morphology[0]}_"


def skipped_tasks(data_sets: Mapping[str, AnnData], *, tasks: Sequence[str] = tuple(TASKS)) -> dict[str, str]:
    """Return the tasks that data sets at hand do not carry, each with the reason.

    Parameters
    ----------
    data_sets
        Releases by name.
    tasks
        Names of tasks.
    """
    at_hand = (TASKS[name] for name in tasks if TASKS[name].data_set in data_sets)
    reasons = {task.name: absence(data_sets[task.data_set], task.name) for task in at_hand}
    return {name: reason for name, reason in reasons.items() if reason}


def field_um(morphology: str) -> int:
    """Return the field of view in microns that a morphology expert's name ends with."""
    return int(morphology.rsplit("_", 1)[1].removesuffix("um"))
