"""Tables that look the same in every run, and in light and dark pages."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

LONG = 24


@dataclass(frozen=True)
class HtmlTable:
    """A table that a notebook shows as HTML, with no colours of its own and no address or random id in it.

    A table without rows is its caption alone; one of more than 24 rows scrolls within the page.

    Attributes
    ----------
    frame
        What is shown, one record a row, all text.
    uuid
        Id of the HTML element.
    caption
        Sentence above the table, or nothing.
    """

    frame: pd.DataFrame
    uuid: str
    caption: str = ""

    def __repr__(self) -> str:
        if self.frame.empty:
            return self.caption
        text = self.frame.to_string(index=False, max_colwidth=None)
        return f"{self.caption}\n{text}" if self.caption else text

    def _repr_html_(self) -> str:
        """Render for Jupyter."""
        if self.frame.empty:
            return f"<p>{html.escape(self.caption)}</p>"
        styler = self.frame.style.hide(axis="index").format(escape="html").set_uuid(self.uuid)
        styler = styler.set_table_attributes('class="dataframe"')
        table = str((styler.set_caption(self.caption) if self.caption else styler).to_html())
        return f'<div class="long-table" tabindex="0">{table}</div>' if len(self.frame) > LONG else table


def html_table(
    records: Sequence[Mapping[str, Any]], *, columns: Sequence[str], uuid: str, caption: str = ""
) -> HtmlTable:
    """Build a table from records.

    Parameters
    ----------
    records
        One mapping a row; values are shown through ``str``.
    columns
        Columns in order.
    uuid
        Id of the HTML element, the same in every run.
    caption
        Sentence above the table.
    """
    frame = pd.DataFrame(
        [[str(record.get(column, "")) for column in columns] for record in records], columns=list(columns)
    )
    return HtmlTable(frame, uuid, caption)
