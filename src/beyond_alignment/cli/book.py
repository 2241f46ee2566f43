"""``beyond-alignment book``: run, publish, build and check the book."""

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(help="Run the notebooks, build the book, check what was built.", no_args_is_help=True)


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Recompute(StrEnum):
    """What of the stored studies is computed anew."""

    check = "check"
    missing = "missing"
    all = "all"


@app.command()
def run(
    only: Annotated[list[str] | None, typer.Option("--only", help="Run this page alone (03); repeatable.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Run this page and those after it (04).")] = None,
    recompute: Annotated[
        Recompute,
        typer.Option("--recompute", help="check: a sample of each study; missing: what it lacks; all: everything."),
    ] = Recompute.check,
    device: Annotated[
        Device, typer.Option("--device", envvar="BEYOND_ALIGNMENT_DEVICE", help="Where to compute.")
    ] = Device.auto,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Address of a Dask scheduler that computes the studies.")
    ] = None,
) -> None:
    """Run the notebooks in order; what comes out lies under executed/, and nothing else is written."""
    from beyond_alignment.book.run import run_book

    pages = run_book(only=only or (), start=start, recompute=recompute.value, device=device.value, scheduler=scheduler)
    typer.echo(f"{len(pages)} pages run: they lie in executed/.")


@app.command()
def publish() -> None:
    """Copy the outputs of a whole run over notebooks/ and results/, to be committed."""
    from beyond_alignment.book.run import publish as copy
    from beyond_alignment.project import root

    changed = copy()
    for path in changed:
        typer.echo(path.relative_to(root()).as_posix())
    typer.echo(f"{len(changed)} files changed.")


@app.command()
def build() -> None:
    """Build the HTML book, every warning an error."""
    from beyond_alignment.book.build import build_book

    page, committed = build_book()
    if committed:
        typer.echo(
            f"Shown with their committed outputs, since they were not run as they are now: {', '.join(committed)}."
        )
    typer.echo(f"The book is built: open {page.as_uri()}")


@app.command()
def check() -> None:
    """Check that the built book is whole, loads nothing from elsewhere and says what is committed."""
    from beyond_alignment.book.check import check_book
    from beyond_alignment.book.notebook import toc_pages

    faults = check_book()
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        typer.echo(f"{len(faults)} faults in the built book.", err=True)
        raise typer.Exit(1)
    typer.echo(f"The built book is whole: {len(toc_pages())} pages, no error, nothing loaded from elsewhere.")
