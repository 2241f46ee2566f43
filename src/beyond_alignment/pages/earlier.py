"""What the pages show of runs that are to be recomputed."""

import pandas as pd

WORDS = {"macro_f1": "macro-F1", "r2": "R²"}


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with words in the place of identifiers such as ``niche_immune``."""
    return table.map(lambda cell: WORDS.get(cell, cell.replace("_", " ")) if isinstance(cell, str) else cell)
