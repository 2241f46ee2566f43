"""What a profile would run, job by job, with the memory and the time that each is expected to take."""

from dataclasses import dataclass

from beyond_alignment.pipeline.profiles import Profile
from beyond_alignment.pipeline.studies import Machine, Study

CELL_SECONDS = {
    "expression_only": 0.1, "morphology_only": 0.1, "concat": 0.2, "late_average": 0.2, "low_rank": 1.2, "clip": 1.9,
    "synergy_max": 1.6, "comm": 7.7, "cross_attention": 3.4, "bottleneck": 6.8, "surrogate_expression": 0.6,
    "surrogate_morphology": 0.6,
}  # fmt: skip
"""Seconds of one core for a cell of some hundred spots and one trial, as measured on two cores that were not idle."""
TRAININGS = {1: 4, 4: 7}
"""Trainings of a network's cell: trials on one inner fold, the fit, and the rehearsals of the probe."""
SECONDS_A_NUMBER = 2.5e-7
"""Seconds of one core for each spot and feature of a cell, components and probe, from a fit of 7,100 x 2,048."""
MEMORY_BASE_GB, MEMORY_COPIES = 0.6, 8
"""Memory of a process: what it holds before the data, and how many times the single-precision embeddings."""
TOKENS = {"uni2_h": 265, "nicheformer": 1500}
GPU_BASE_GB = 4.0
SIS_SECONDS_A_NUMBER = 1.1e-6


@dataclass(frozen=True)
class Job:
    """One job of a profile.

    Attributes
    ----------
    name
        What it is.
    command
        What runs it.
    where
        ``GPU`` or ``CPU``.
    memory_gb
        Of the host, or of the card.
    seconds
        Expected.
    basis
        What the estimate rests on.
    """

    name: str
    command: str
    where: str
    memory_gb: float
    seconds: float
    basis: str


def plan_jobs(profile: Profile, machine: Machine | None, studies: tuple[Study, ...]) -> tuple[Job, ...]:
    """List the jobs of a profile in their order.

    Parameters
    ----------
    profile
        Its pages.
    machine
        What the studies are laid out for; None where there are none.
    studies
        From :func:`~beyond_alignment.pipeline.studies.load_studies`.
    """
    run = f"beyond-alignment book run --profile {profile.name} --only"
    pages = tuple(
        Job(f"page {one.name}", f"{run} {one.name[:2]}", "CPU", 8.0, one.expected_seconds, "stated in the profile")
        for one in profile.pages
    )
    if machine is None:
        return pages
    return pages + tuple(job for study in studies for job in _of_study(study, machine, profile.name))


def _of_study(study: Study, machine: Machine, profile: str) -> tuple[Job, ...]:
    """Return the jobs of one study."""
    from beyond_alignment.experts.registry import get_expert

    images, counts = get_expert(study.morphology), get_expert(study.expression)
    size = study.n_spots * (images.dimension + counts.dimension)
    file, written = f"{study.folder}.h5ad", f"{study.folder}.{study.expression}.h5"
    gpu = {one.name: _forward_seconds(study, machine, one.parameters, one.name) for one in (images, counts)}
    cutting = study.n_spots / machine.patches_per_second
    host = MEMORY_BASE_GB + MEMORY_COPIES * 4 * size / 2**30
    jobs = [
        Job(
            f"{study.name}: {images.name}",
            f"beyond-alignment embed {study.folder} --expert {images.name} --device cuda",
            "GPU", GPU_BASE_GB + 4 * images.parameters / 2**30, max(gpu[images.name], cutting),
            f"{machine.teraflops:g} Tflop/s and {machine.patches_per_second:g} patches/s, assumed",
        ),
        Job(
            f"{study.name}: {counts.name}",
            f"conda run -n beyond-alignment-{counts.name} python envs/{counts.name}/extract.py {file}",
            "GPU", GPU_BASE_GB + 4 * counts.parameters / 2**30, gpu[counts.name],
            f"{machine.teraflops:g} Tflop/s, assumed",
        ),
        Job(
            f"{study.name}: join", f"beyond-alignment embed {file} --expert {counts.name} --from-file {written}",
            "CPU", MEMORY_BASE_GB + 3 * 4 * size / 2**30, 60.0, "reading and writing",
        ),
        Job(
            f"{study.name}: SIS",
            f"beyond-alignment sis {file} --first X_{study.expression} --second X_{study.morphology_name} "
            f"--label {study.label} --groups {study.groups} --json {study.name}.json",
            "CPU", host, SIS_SECONDS_A_NUMBER * size, "page 05, 10,000 x 2,048, scaled",
        ),
    ]  # fmt: skip
    for method in study.methods:
        jobs.append(
            Job(
                f"{study.name}: {method}", f"beyond-alignment book study {study.name} --profile {profile}", "CPU",
                host, _curve_seconds(study, method, size) / processes(machine, host),
                f"{processes(machine, host)} processes, measured on two cores, scaled",
            )
        )  # fmt: skip
    return tuple(jobs)


def processes(machine: Machine, memory_gb: float) -> int:
    """Return how many processes of so much memory run side by side.

    Parameters
    ----------
    machine
        Cores and memory.
    memory_gb
        Of one process.
    """
    return max(1, min(machine.cores, int(0.8 * machine.memory_gb / memory_gb)))


def _forward_seconds(study: Study, machine: Machine, parameters: int, expert: str) -> float:
    """Return how long the forward passes take: two operations a parameter and token."""
    return study.n_spots * 2.0 * parameters * TOKENS.get(expert, 256) / (machine.teraflops * 1e12)


def _curve_seconds(study: Study, method: str, size: int) -> float:
    """Return the seconds of one core for all cells of a method."""
    cells = study.n_seeds * study.n_folds
    trials = TRAININGS.get(study.n_trials, study.n_trials + 3) / TRAININGS[1]
    one = CELL_SECONDS.get(method, max(CELL_SECONDS.values())) * trials
    share = sum(study.fractions) * (study.n_folds - 1) / study.n_folds  # of all spots, over fractions
    return cells * (len(study.fractions) * one + share * size * SECONDS_A_NUMBER)
