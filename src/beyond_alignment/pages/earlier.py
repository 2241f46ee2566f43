"""What the pages show of runs that are to be recomputed."""

import pandas as pd


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with words in the place of identifiers such as ``niche_immune``."""
    return table.map(lambda cell: cell.replace("_", " ") if isinstance(cell, str) else cell)
