"""``beyond-alignment benchmark``: fusion methods on the tasks of the releases, on equal terms."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from beyond_alignment.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

    from beyond_alignment.benchmark.benchmark_report import BenchmarkReport
    from beyond_alignment.benchmark.problem import Contest

DATA = typer.Option("--data", help="A release (her2st, mob, crc_visium) or simulated; repeatable. All when left out.")
TASK = typer.Option("--task", help="A task; repeatable. All that the data carry when left out.")
METHOD = typer.Option("--method", help="A fusion method; repeatable. All when left out.")
SPLIT = typer.Option("--split", help="donor, section or block; repeatable. Each task's main one when left out.")
EXPRESSION = typer.Option("--expression", help="Expression expert.")
MORPHOLOGY = typer.Option("--morphology", help="Morphology expert, without field of view.")
FIELD = typer.Option("--field-um", help="Field of view, microns; repeatable.")
SEEDS = typer.Option("--seeds", min=1, help="Seeds 0, 1, ... of every method.")
OUT = typer.Option("--out", file_okay=False, help="Folder of the tables.")
JOBS = typer.Option("--jobs", help="Processes of one thread each; -1 for one a core.")
SCHEDULER = typer.Option("--scheduler", help="Address of a Dask scheduler whose workers run the grid.")


def benchmark(
    data: Annotated[list[str] | None, DATA] = None,
    task: Annotated[list[str] | None, TASK] = None,
    method: Annotated[list[str] | None, METHOD] = None,
    split: Annotated[list[str] | None, SPLIT] = None,
    expression: Annotated[str, EXPRESSION] = "pca",
    morphology: Annotated[str, MORPHOLOGY] = "mobilenetv2",
    field_um: Annotated[list[int] | None, FIELD] = None,
    seeds: Annotated[int, SEEDS] = 5,
    out: Annotated[Path | None, OUT] = None,
    jobs: Annotated[int, JOBS] = 1,
    scheduler: Annotated[str | None, SCHEDULER] = None,
    replicates: Annotated[int, typer.Option("--replicates", min=20, help="Bootstrap replicates.")] = 1000,
) -> None:
    """Run fusion methods over tasks, folds and seeds, and compare each with the better expert.

    Tables are written when all is done; a run that is killed starts anew: run a long one task by task (--task, --out).
    """
    from beyond_alignment.benchmark.benchmark_report import report_benchmark
    from beyond_alignment.benchmark.grid import run_grid
    from beyond_alignment.benchmark.plan import skipped_tasks
    from beyond_alignment.fusion.tuning import fit_tuned
    from beyond_alignment.project import root

    folder = root() / "executed" / "benchmark" if out is None else out
    if not next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists()).is_dir():
        raise InputError(f"{folder} cannot be written: it lies below a file; give another folder.")
    _check(task, method, split)
    data_sets = _read(data)
    contests = _plan(data_sets, task, method, split, expression, morphology, field_um or [600], seeds)
    for name, reason in skipped_tasks(data_sets, **({"tasks": task} if task else {})).items():
        typer.echo(f"Skipped {name}: {reason}", err=True)
    if not contests:
        raise InputError("Nothing to run: the data carry none of these tasks, or no such expert under these splits.")
    grid = run_grid(data_sets, contests, fit_many=fit_tuned, n_jobs=jobs, scheduler=scheduler)
    report = report_benchmark(grid, n_replicates=replicates)
    paths = report.write(folder)
    _show(report)
    typer.echo(f"Written: {', '.join(str(path) for path in paths)}")


def _check(task: Sequence[str] | None, method: Sequence[str] | None, split: Sequence[str] | None) -> None:
    """Refuse names that nothing has, before anything is read."""
    from beyond_alignment.fusion import FUSION_METHODS
    from beyond_alignment.tasks.registry import TASKS

    for what, given, known in (
        ("task", task, tuple(TASKS)),
        ("fusion method", method, tuple(FUSION_METHODS)),
        ("split", split, ("donor", "section", "block")),
    ):
        if unknown := [name for name in given or () if name not in known]:
            raise InputError(f"There is no {what} {unknown[0]!r}; known are {', '.join(known)}.")


def _read(names: Sequence[str] | None) -> "dict[str, AnnData]":
    """Read the releases, and draw simulated tissue."""
    from beyond_alignment.benchmark.simulated_tissue import simulate_tissue
    from beyond_alignment.datasets import read_release
    from beyond_alignment.project import root
    from beyond_alignment.tasks.registry import TASKS

    known = tuple(dict.fromkeys(record.data_set for record in TASKS.values()))
    if unknown := [name for name in names or () if name not in known]:
        raise InputError(f"There are no data {unknown[0]!r}; known are {', '.join(known)}.")
    wanted = names or [n for n in known if n == "simulated" or (root() / "data" / f"{n}.h5ad").is_file()]
    return {name: simulate_tissue() if name == "simulated" else read_release(name) for name in wanted}


def _plan(
    data_sets: "dict[str, AnnData]",
    task: Sequence[str] | None,
    method: Sequence[str] | None,
    split: Sequence[str] | None,
    expression: str,
    morphology: str,
    fields_um: Sequence[int],
    seeds: int,
) -> "list[Contest]":
    """List the contests; each task under its main split unless splits were named."""
    from beyond_alignment.benchmark.grid_sets import under_main_split
    from beyond_alignment.benchmark.plan import plan_contests
    from beyond_alignment.fusion import FUSION_METHODS
    from beyond_alignment.tasks.registry import TASKS

    planned = plan_contests(
        data_sets,
        expression=(expression,),
        morphology=(morphology,),
        fields_um=fields_um,
        methods=tuple(method or FUSION_METHODS),
        tasks=tuple(task or TASKS),
        n_seeds=seeds,
    )
    return [contest for contest in planned if contest.split in split] if split else under_main_split(planned)


def _show(report: "BenchmarkReport") -> None:
    """Print the ranks and what follows."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if report.ranks is not None:
        ranks = report.ranks
        table = Table(title=f"mean rank over {ranks.n_tasks} tasks (1 is best)", title_justify="left", box=None)
        for name, side in (("method", "left"), ("rank", "right"), ("95 %", "right")):
            table.add_column(name, justify=side)  # type: ignore[arg-type]
        for row in ranks.table.itertuples():
            table.add_row(str(row.method), f"{row.mean_rank:.2f}", f"{row.low:.2f} to {row.high:.2f}")
        console.print(table)
        console.print(f"Critical difference (Nemenyi, {ranks.alpha:.0%}): {ranks.critical_difference:.2f}")
    for sentence in report.sentences:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
