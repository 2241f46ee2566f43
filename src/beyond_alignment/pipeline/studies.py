"""Studies of a profile: tissues of a folder, embedded by named experts, with learning curves of all contestants."""

from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import yaml

from beyond_alignment.errors import InputError
from beyond_alignment.pipeline.parameters import nearest
from beyond_alignment.project import root
from beyond_alignment.results.locations import folder as results_folder

Record = TypeVar("Record")


@dataclass(frozen=True, kw_only=True)
class Study:
    """One tissue of a profile.

    Attributes
    ----------
    name
        Of the study.
    folder
        In the layout of HEST-1k, from the project root; ``<folder>.h5ad`` beside it holds the embeddings.
    expression, morphology
        Experts.
    field_of_view_um
        Of the patches; 0 for the morphology expert's own.
    label, groups
        Columns of ``obs``: the classes, and what folds keep whole.
    n_spots
        How many are expected, for the estimates before the data are there.
    n_classes
        Likewise.
    methods
        Contestants.
    fractions
        Of the training spots.
    n_seeds, n_folds, n_trials
        Seeds, folds, and settings that networks choose among.
    """

    name: str
    folder: str
    expression: str
    morphology: str
    field_of_view_um: float
    label: str
    groups: str
    n_spots: int
    n_classes: int
    methods: tuple[str, ...]
    fractions: tuple[float, ...]
    n_seeds: int
    n_folds: int
    n_trials: int

    @property
    def file(self) -> Path:
        """The data with both embeddings."""
        place = root() / self.folder
        return place.with_name(f"{place.name}.h5ad")

    @property
    def morphology_name(self) -> str:
        """How the morphology expert's embedding is named: with its field of view where that is not its own."""
        from beyond_alignment.experts.embed import field_name

        return field_name(self.morphology, self.field_of_view_um) if self.field_of_view_um else self.morphology


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a profile is laid out for.

    Attributes
    ----------
    device
        In words.
    gpu_gb, memory_gb
        Memory of the card and of the host.
    cores
        Of the host.
    teraflops
        That the card is assumed to sustain in bfloat16 on a large vision transformer, per second.
    patches_per_second
        That the host is assumed to cut from slides.
    """

    device: str
    gpu_gb: float
    memory_gb: float
    cores: int
    teraflops: float
    patches_per_second: float


def load_studies(profile: str) -> tuple[Machine | None, tuple[Study, ...]]:
    """Read the machine and the studies of a profile; none where it has none.

    Parameters
    ----------
    profile
        Name of the profile.

    Raises
    ------
    InputError
        A key is missing or unknown.
    """
    path = root() / "notebooks" / "profiles" / f"{profile}.yaml"
    if not path.is_file():
        raise InputError(f"There is no profile {profile!r}: add notebooks/profiles/{profile}.yaml.")
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    studies = content.get("studies") or {}
    if not studies:
        return None, ()
    common = studies.get("common") or {}
    machine = _read(Machine, content.get("machine") or {}, f"The machine of profile {profile}")
    tissues = (studies.get("tissues") or {}).items()
    return machine, tuple(_read(Study, {"name": name} | common | own, f"Study {name}") for name, own in tissues)


def _read(kind: type[Record], given: dict[str, Any], what: str) -> Record:
    """Make a record of a mapping that has its keys and no other."""
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            raise InputError(f"{what} has the unknown key {key!r}: {nearest(key, known)}")
    if missing := [key for key in known if key not in given]:
        raise InputError(f"{what} lacks {', '.join(missing)}: add them to the profile.")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()})


def find_study(profile: str, name: str) -> Study:
    """Return a study by its name.

    Raises
    ------
    InputError
        There is none of that name.
    """
    _, studies = load_studies(profile)
    found = {study.name: study for study in studies}
    if name not in found:
        raise InputError(f"Profile {profile} has no study {name!r}: {nearest(name, list(found))}")
    return found[name]


def run_study(
    study: Study, *, profile: str, n_jobs: int = 1, scheduler: str | None = None, progress: bool = False
) -> Path:
    """Run the learning curves of a study and write its points; finished cells are kept and not run again.

    Parameters
    ----------
    study
        Its file holds both embeddings, made by the commands that the dry run prints.
    profile
        Where results and finished cells are kept.
    n_jobs, scheduler, progress
        As in :func:`~beyond_alignment.benchmark.run_curves`.

    Returns
    -------
    Path
        ``studies/<name>-points.csv`` in the results of the profile.

    Raises
    ------
    InputError
        The file is not there, or lacks what the study names.
    """
    import anndata

    from beyond_alignment.benchmark import GRID_CODE, SURROGATES, PointStore, curve_points, run_curves, surrogate_curves
    from beyond_alignment.benchmark.own_curves import own_problem
    from beyond_alignment.benchmark.store import code_digest
    from beyond_alignment.datasets.h5ad import open_h5ad
    from beyond_alignment.files import atomic_path
    from beyond_alignment.fusion.tuning import TRIALS, fit_tuned

    if not study.file.is_file():
        raise InputError(
            f"There is no {study.file.name} beside {study.folder}: run the commands that --dry-run prints."
        )
    with open_h5ad(study.file):
        pass
    adata = anndata.read_h5ad(study.file)
    problems = own_problem(
        adata, name=study.name, expression=study.expression, morphology=study.morphology_name, label=study.label,
        groups=study.groups, methods=study.methods, n_seeds=study.n_seeds, n_folds=study.n_folds,
    )  # fmt: skip
    store = PointStore(root() / "executed" / profile / "points", context=code_digest(GRID_CODE))
    trials = TRIALS[: study.n_trials]
    chosen = [one for one in problems.contests if one.method not in SURROGATES]
    alone = [one for one in problems.contests if one.method in SURROGATES]
    common: dict[str, Any] = {"fractions": study.fractions, "store": store, "n_jobs": n_jobs, "progress": progress}
    curves = run_curves(
        problems, chosen, fit_many=partial(fit_tuned, trials=trials), settings={"trials": trials},
        scheduler=scheduler, **common,
    )  # fmt: skip
    points = curve_points(curves.points, surrogate_curves(problems, alone, **common))
    out = results_folder(profile) / "studies" / f"{study.name}-points.csv"
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(out) as temporary:
        points.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    return out
