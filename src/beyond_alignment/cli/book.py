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
) -> None:
    """Run the notebooks that are not fresh, in order."""
    from beyond_alignment.pipeline.run import run_book

    report = run_book(profile, only=only, start=start, device=device.value, force=force)
    pages = f"{len(report.executed)} pages run, {len(report.skipped)} fresh"
    updated = f", {len(report.published)} notebooks updated" if report.published else ""
    typer.echo(f"Profile {profile}: {pages}{updated}.")


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
