"""Shows a decomposition on a terminal, and that work is going on."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from beyond_alignment.cli.sis_answer import INDENTED, SisAnswer
from beyond_alignment.information.advice import Recommendation


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal what is being done and for how long; elsewhere nothing."""
    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(what, total=None)
        yield


def show(answer: SisAnswer, console: Console) -> None:
    """Print the warnings, the decomposition with its null, the recommendation with its reason, and the power."""
    estimate = answer.estimate
    groups = f" in {estimate.n_groups} groups" if estimate.n_groups else ""
    label = f"{answer.inputs['label']} ({len(answer.counts)} classes; {answer.target_note})"
    line = f"{label}, {estimate.n:,} samples{groups}, method {estimate.method}"
    console.print(line, markup=False, highlight=False)
    if answer.origin:
        console.print(answer.origin, markup=False, highlight=False)
    for warning in answer.warnings:
        console.print(f"[yellow]warning:[/yellow] {escape(warning)}", highlight=False)
    table = Table("what", highlight=False)
    beside = "\n(over groups)" if estimate.group_intervals else ""
    heads = ("bits", f"{100 * estimate.level:g} % interval\nover {estimate.resampled}s{beside}", "null", "p")
    for head in heads:
        table.add_column(head, justify="right")
    for row in answer.rows():
        if row.term in ("sis", "I1"):
            table.add_section()
        interval = f"{row.interval}\n({row.over_groups})" if estimate.group_intervals else row.interval
        what = ("  " if row.term in INDENTED else "") + escape(row.words)
        table.add_row(what, row.value, interval, row.null, row.p)
    console.print(table)
    console.print(answer.null_note, markup=False, highlight=False)
    console.print(f"[bold]{escape(answer.headline)}[/bold]", highlight=False)
    console.print(Padding(escape(answer.strategy.reason), (0, 0, 0, 2)), highlight=False)
    if answer.rule is not None:
        show_rule(answer.rule, console)
    for note in answer.power_notes:
        console.print(note, markup=False, highlight=False)


def show_rule(rule: Recommendation, console: Console) -> None:
    """Print what the published rule by score and number of pairs says, and why."""
    console.print(f"[bold]By number of pairs ({rule.n_paired:,}): {rule.row.name}[/bold]", highlight=False)
    console.print(Padding(escape(rule.reason), (0, 0, 0, 2)), highlight=False)
