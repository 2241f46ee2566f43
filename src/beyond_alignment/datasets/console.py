"""Where progress is shown: on a terminal, and nowhere else."""

import sys

from rich.console import Console


def terminal_console() -> Console:
    """Return a console on the terminal's standard error, silent where there is no terminal, as in a notebook."""
    terminal = sys.__stderr__ is not None and sys.__stderr__.isatty()
    return Console(file=sys.__stderr__, quiet=not terminal, force_jupyter=False)
