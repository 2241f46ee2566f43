"""``beyond-alignment doctor``: what this machine has."""

import typer


def doctor() -> None:
    """Say whether this machine can run the book, and with what."""
    from rich.console import Console
    from rich.table import Table

    from beyond_alignment.book.doctor import examine

    findings = examine()
    table = Table("", "what", "found")
    for finding in findings:
        mark = "ok" if finding.ok else "FAULT" if finding.needed else "note"
        table.add_row(mark, finding.what, finding.found)
    Console().print(table)
    if any(finding.needed and not finding.ok for finding in findings):
        typer.echo("The book cannot run here: see the rows marked FAULT.", err=True)
        raise typer.Exit(1)
    typer.echo("The book can run here.")
