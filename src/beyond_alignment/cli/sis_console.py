"""Shows a decomposition on a terminal, and that work is going on."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from beyond_alignment.cli.sis_answer import SisAnswer
from beyond_alignment.cli.sis_words import PARTS_OF_SYNERGY, interval, number, p_value
from beyond_alignment.information.advice import Recommendation
from beyond_alignment.information.estimate import TERMS


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal what is being done and for how long; elsewhere nothing."""
    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(what, total=None)
        yield


def show(answer: SisAnswer, console: Console) -> None:
    """Print the decomposition, the recommendation with its reason, and the warnings.

    Parameters
    ----------
    answer
        What was found.
    console
        Where to print it.
    """
    estimate = answer.estimate
    groups = f" in {estimate.n_groups} groups" if estimate.n_groups else ""
    label = f"{answer.inputs['label']} ({len(answer.counts)} classes; {answer.target_note})"
    line = f"{label}, {estimate.n:,} samples{groups}, method {estimate.method}"
    console.print(line, markup=False, highlight=False)
    if answer.origin:
        console.print(answer.origin, markup=False, highlight=False)
    table = Table("what", highlight=False)
    table.add_column("bits", justify="right")
    table.add_column(f"{100 * estimate.level:g} % interval", justify="right")
    table.add_column("p", justify="right")
    for term in TERMS:
        if term in ("sis", "I1"):
            table.add_section()
        indent = "  " if term in PARTS_OF_SYNERGY else ""
        table.add_row(
            indent + escape(answer.words(term)),
            number(getattr(estimate.pid, term)),
            interval(estimate.intervals[term]),
            p_value(estimate, term),
        )
    console.print(table)
    strategy = answer.strategy
    console.print(f"[bold]Recommended: {strategy.recommended}[/bold]", highlight=False)
    console.print(Padding(escape(strategy.reason), (0, 0, 0, 2)), highlight=False)
    if answer.rule is not None:
        show_rule(answer.rule, console)
    for warning in answer.warnings:
        console.print(Padding(f"[yellow]warning:[/yellow] {escape(warning)}", (0, 0, 0, 0)), highlight=False)


def show_rule(rule: Recommendation, console: Console) -> None:
    """Print what the published rule by score and number of pairs says, and why.

    Parameters
    ----------
    rule
        What it says.
    console
        Where to print it.
    """
    console.print(f"[bold]By number of pairs ({rule.n_paired:,}): {rule.row.name}[/bold]", highlight=False)
    console.print(Padding(escape(rule.reason), (0, 0, 0, 2)), highlight=False)
