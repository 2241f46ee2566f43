"""A box that a page cannot be read past."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from beyond_alignment.project import MIRROR_VARIABLE

_BOX = "border: 1px solid #d98200; border-left-width: 6px; border-radius: 4px; padding: 0.6em 1em; margin: 0.5em 0"


@dataclass(frozen=True)
class Notice:
    """A titled box, readable on light and dark pages: the text keeps the page's colour.

    Attributes
    ----------
    title
        First line, in bold.
    text
        What the reader has to know.
    """

    title: str
    text: str

    def __repr__(self) -> str:
        return f"{self.title}\n{self.text}"

    def _repr_html_(self) -> str:
        """Render for Jupyter."""
        title, text = html.escape(self.title), html.escape(self.text)
        style = f"{_BOX}; background: rgba(217, 130, 0, 0.12); color: inherit"
        return f'<div class="notice" style="{style}"><strong>{title}</strong><br>{text}</div>'


def notice(text: str, *, title: str = "Note") -> Notice:
    """Return a box to be shown as the value of a cell.

    Parameters
    ----------
    text
        One or two sentences.
    title
        First line, in bold.
    """
    return Notice(title, text)


def raw_data_notice(held: Mapping[str, Sequence[str]]) -> Notice:
    """Return the box that says which raw data a page ran on, and how to get those that were not at hand.

    Parameters
    ----------
    held
        Data set -> its sections at hand, as ``datasets.at_hand`` returns them.
    """
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
