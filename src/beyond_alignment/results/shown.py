"""Which table a page shows: that of the reference run where there is one, else its own."""

import pandas as pd

from beyond_alignment.results.locations import REFERENCE, table_file

HERE, THERE = "this run", "the reference run"


def shown_table(page: str, name: str, here: pd.DataFrame, *, profile: str) -> tuple[pd.DataFrame, str]:
    """Return the table of the reference run and its name, or this run's own where there is none yet.

    Parameters
    ----------
    page
        Name of the page, such as ``06_scaling``.
    name
        Of the table.
    here
        What this run computed.
    profile
        Of this run; the reference run shows itself.
    """
    path = table_file(page, name, REFERENCE)
    if profile == REFERENCE or not path.is_file():
        return here, HERE if profile != REFERENCE else THERE
    return pd.read_csv(path), THERE
