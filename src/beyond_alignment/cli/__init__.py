"""The command line: exit 0 done, 2 bad input, 1 a fault of ours.

A new command is a module beside this one, added to ``app`` below.
"""

import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Annotated

import typer

from beyond_alignment import __version__
from beyond_alignment.cli import benchmark, book, doctor, embed, experts, recommend, sis
from beyond_alignment.errors import InputError
from beyond_alignment.project import root

app = typer.Typer(
    name="beyond-alignment",
    help="When does fusing histology with gene expression add information? Ask your own data, run and build the book.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(book.app, name="book")
app.add_typer(experts.app, name="experts")
app.command("benchmark")(benchmark.benchmark)
app.command("doctor")(doctor.doctor)
app.command("embed")(embed.embed)
app.command("recommend")(recommend.recommend)
app.command("sis")(sis.sis)


def _version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Keep the options that stand before a command."""


def main() -> None:
    """Run a command; errors become one sentence on stderr and an exit code."""
    warnings.simplefilter("ignore", SyntaxWarning)  # of packages being imported: nothing a user can act on
    try:
        app()
    except InputError as error:
        _stop(str(error), 2)
    except Exception as error:  # noqa: BLE001 the last resort: whatever it is, the reader gets a sentence
        log = _log()
        sentence = " ".join(str(error).split()) or type(error).__name__
        _stop(f"{sentence} (traceback in {log})", 1)


def _stop(sentence: str, code: int) -> None:
    """Say why and leave."""
    print(f"beyond-alignment: {sentence}", file=sys.stderr)
    raise SystemExit(code)


def _log() -> Path:
    """Keep the traceback of the current exception."""
    try:
        folder = root() / "executed"
        folder.mkdir(exist_ok=True)
    except (InputError, OSError):
        folder = Path(tempfile.gettempdir())
    log = folder / "beyond-alignment-error.log"
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return log
