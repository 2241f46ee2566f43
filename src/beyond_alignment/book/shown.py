"""What a notebook shows beside its figures: tables and boxes that look the same in every run."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from beyond_alignment.project import MIRROR_VARIABLE

LONG = 15
_BOX = "border: 1px solid #d98200; border-left-width: 6px; border-radius: 4px; padding: 0.6em 1em; margin: 0.5em 0"


@dataclass(frozen=True)
class HtmlTable:
    """A table of text with no address or random id in it; empty it is its caption, long it scrolls, folded it opens."""

    frame: pd.DataFrame
    uuid: str
    caption: str = ""
    folded: bool = False

    def __repr__(self) -> str:
        if self.frame.empty:
            return self.caption
        text = self.frame.to_string(index=False, max_colwidth=None)
        return f"{self.caption}\n{text}" if self.caption else text

    def _repr_html_(self) -> str:
        """Render for Jupyter."""
        caption = html.escape(self.caption)
        if self.frame.empty:
            return f"<p>{caption}</p>"
        styler = self.frame.style.hide(axis="index").format(escape="html").set_uuid(self.uuid)
        styler = styler.set_table_attributes('class="dataframe"')
        styler = styler.set_caption(self.caption) if self.caption and not self.folded else styler
        table = str(styler.to_html())
        table = f'<div class="long-table" tabindex="0">{table}</div>' if len(self.frame) > LONG else table
        return f"<details><summary>{caption}</summary>{table}</details>" if self.folded else table


@dataclass(frozen=True)
class Notice:
    """A titled box, readable on light and dark pages: the text keeps the page's colour."""

    title: str
    text: str

    def __repr__(self) -> str:
        return f"{self.title}\n{self.text}"

    def _repr_html_(self) -> str:
        """Render for Jupyter."""
        title, text = html.escape(self.title), html.escape(self.text)
        style = f"{_BOX}; background: rgba(217, 130, 0, 0.12); color: inherit"
        return f'<div class="notice" style="{style}"><strong>{title}</strong><br>{text}</div>'


def raw_data_notice(held: Mapping[str, Sequence[str]]) -> Notice:
    """Return the box that says which raw data a page ran on, by data set and sections, and how to get the others."""
    present = "; ".join(f"{name}: {', '.join(sections)}" for name, sections in held.items() if sections)
    absent = [name for name, sections in held.items() if not sections]
    if not absent:
        return Notice("Raw data at hand", f"This page ran on the raw images and counts of {present}.")
    title = f"Raw images and counts were not at hand: {', '.join(absent)}"
    text = (
        "Of these the page shows what the frozen-embedding release in data/ holds, and nothing stands in for the rest. "
        f"To get them, run datasets.load(name) with a network, or set {MIRROR_VARIABLE} to a folder that "
        "has the files under the paths of the registry, and run the page again."
    )
    return Notice(title, f"{text} At hand were {present}." if present else text)
