"""``beyond-alignment book``: run, build and check the book."""

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(help="Run the notebooks, build the book, check what was built.", no_args_is_help=True)

Profile = Annotated[str, typer.Option("--profile", help="quick, reference or full.")]


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


@app.command()
def run(
    profile: Profile = "quick",
    only: Annotated[list[str] | None, typer.Option("--only", help="Consider this page alone (03); repeatable.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Consider this page and those after it (04).")] = None,
    device: Annotated[
        Device, typer.Option("--device", envvar="BEYOND_ALIGNMENT_DEVICE", help="Where to compute.")
    ] = Device.auto,
    force: Annotated[bool, typer.Option("--force", help="Run fresh pages as well.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Run nothing: list the jobs, their memory, time.")] = False,
) -> None:
    """Run the notebooks that are not fresh, in order."""
    if dry_run:
        _show_jobs(profile)
        return
    from beyond_alignment.pipeline.run import run_book

    report = run_book(profile, only=only, start=start, device=device.value, force=force)
    pages = f"{len(report.executed)} pages run, {len(report.skipped)} fresh"
    updated = f", {len(report.published)} notebooks updated" if report.published else ""
    typer.echo(f"Profile {profile}: {pages}{updated}.")


def _show_jobs(profile: str) -> None:
    """Print every job of a profile with its memory and its expected time."""
    from rich.console import Console
    from rich.table import Table

    from beyond_alignment.pipeline.jobs import plan_jobs
    from beyond_alignment.pipeline.profiles import load_profile
    from beyond_alignment.pipeline.studies import load_studies

    found = load_profile(profile)
    machine, studies = load_studies(profile)
    jobs = plan_jobs(found, machine, studies)
    table = Table(title=f"profile {profile}: {found.description}", title_justify="left", box=None)
    for name in ("job", "on", "memory", "time", "estimate rests on", "command"):
        table.add_column(name, overflow="fold")
    for job in jobs:
        memory, minutes = f"{job.memory_gb:.1f} GB", f"{job.seconds / 60:,.1f} min"
        table.add_row(job.name, job.where, memory, minutes, job.basis, job.command)
    console = Console(width=None if Console().is_terminal else 200)
    console.print(table)
    for what, page in (("pages", True), ("studies", False)):
        mine = [job for job in jobs if job.name.startswith("page ") == page]
        hours = sum(job.seconds for job in mine) / 3600
        place = f", on {machine.device}" if machine and not page else ""
        console.print(f"{what}: {len(mine)} jobs, {hours:.1f} hours one after the other{place}")
    for study in studies:
        there = "is there" if study.file.is_file() else "is not there yet"
        console.print(f"{study.name}: {study.folder}.h5ad {there}; label {study.label!r}, groups {study.groups!r}")


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="Name of the study: see `book run --profile full --dry-run`.")],
    profile: Profile = "full",
    jobs: Annotated[int, typer.Option("--jobs", help="Processes of one thread each; -1 for one a core.")] = 1,
    scheduler: Annotated[str | None, typer.Option("--scheduler", help="Address of a Dask scheduler.")] = None,
) -> None:
    """Draw the learning curves of a study of a profile; finished cells are kept."""
    import sys

    from beyond_alignment.pipeline.studies import find_study, run_study

    progress = sys.stderr.isatty()
    written = run_study(find_study(profile, name), profile=profile, n_jobs=jobs, scheduler=scheduler, progress=progress)
    typer.echo(f"Written: {written}")


@app.command()
def build(profile: Profile = "quick") -> None:
    """Build the HTML book from fresh pages, every warning an error."""
    from beyond_alignment.pipeline.build import build_book

    typer.echo(f"The book is built: open {build_book(profile).as_uri()}")


@app.command()
def check(profile: Profile = "quick") -> None:
    """Check that the built book is whole and loads nothing from elsewhere."""
    from beyond_alignment.pipeline.check import check_book
    from beyond_alignment.pipeline.toc import toc_pages

    faults = check_book(profile)
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        typer.echo(f"{len(faults)} faults in the built book.", err=True)
        raise typer.Exit(1)
    typer.echo(f"The built book is whole: {len(toc_pages())} pages, no error, nothing loaded from elsewhere.")
