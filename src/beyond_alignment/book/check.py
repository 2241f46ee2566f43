"""Whether the built book is whole: every page there, no error in it, nothing loaded from elsewhere."""

import json
import math
import re
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag

from beyond_alignment.book.notebook import page_names, toc_pages
from beyond_alignment.errors import InputError
from beyond_alignment.project import executed, root

ELSEWHERE = re.compile(r"\s*(https?:)?//", re.IGNORECASE)
CSS_ELSEWHERE = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])(?:https?:)?//""", re.IGNORECASE)
NOT_A_NUMBER = re.compile(r"\b(nan|NaN)\b")
LOADING_LINKS = {"stylesheet", "preload", "modulepreload", "icon", "manifest", "prefetch"}


def check_book() -> list[str]:
    """Return the faults of the built book, one sentence each with the page in front; empty when it is whole.

    Raises
    ------
    InputError
        If the book has not been built.
    """
    html = root() / "_build" / "html"
    if not html.is_dir():
        raise InputError("There is no built book: run `beyond-alignment book build` first.")
    faults = []
    for page in toc_pages():
        path = html / f"{page}.html"
        if path.is_file():
            faults += [f"{page}: {fault}" for fault in page_faults(path.read_text(encoding="utf-8"))]
        else:
            faults.append(f"{page}: the table of contents names it, but there is no {page}.html")
    return faults + stylesheet_faults(html) + number_faults()


def number_faults() -> list[str]:
    """Compare what this machine's run measured with what is committed, page by page.

    Words and counts have to be equal; a number passes within 0.01, relative above one, or where both intervals overlap.
    """
    faults = []
    for page in page_names():
        here, there = (place / "results" / f"{page}.json" for place in (executed(), root()))
        if here.is_file() and there.is_file():
            mine, theirs = (json.loads(path.read_text(encoding="utf-8"))["values"] for path in (here, there))
            for key in mine.keys() & theirs.keys():
                if not _agree(mine[key], theirs[key]):
                    values = f"{mine[key]['value']!r} here and {theirs[key]['value']!r} in results/"
                    faults.append(f"{page}: {key} is {values}")
    return sorted(faults)


def _agree(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Compare two records of one value by their type."""
    value, other = mine["value"], theirs["value"]
    if not (isinstance(value, float) and isinstance(other, float)):
        return bool(value == other)
    if mine["interval"] and theirs["interval"]:
        (low, high), (other_low, other_high) = mine["interval"], theirs["interval"]
        return bool(low <= other_high and other_low <= high)
    return math.isclose(value, other, rel_tol=0.01, abs_tol=0.01)


def page_faults(html: str) -> list[str]:
    """Look for faults in one page.

    Parameters
    ----------
    html
        Source of the page.

    Returns
    -------
    list of str
        Tracebacks, outputs on stderr, NaN in tables, and what would be loaded from another host.
    """
    soup = BeautifulSoup(html, "html.parser")
    faults = []
    if soup.select(".output.traceback") or "Traceback (most recent call last)" in soup.get_text():
        faults.append("it shows a traceback")
    if soup.select(".output.stderr"):
        faults.append("it shows output on stderr")
    cells = [cell.get_text(" ", strip=True) for cell in soup.select("td")]
    faults += [f"a table holds NaN: {cell!r}" for cell in cells if NOT_A_NUMBER.search(cell)]
    return faults + [f"it would load {address}" for address in _loaded(soup) if ELSEWHERE.match(address)]


def _loaded(soup: BeautifulSoup) -> list[str]:
    """Return the addresses that a browser fetches to show a page."""
    links = [link for link in soup.select("link[href]") if LOADING_LINKS & set(link.get_attribute_list("rel"))]
    sources: list[Tag] = list(
        soup.select("script[src], img[src], iframe[src], source[src], video[src], audio[src], embed[src]")
    )
    return [str(link["href"]) for link in links] + [str(source["src"]) for source in sources]


def stylesheet_faults(html: Path) -> list[str]:
    """Look for style sheets that load something from another host.

    Parameters
    ----------
    html
        Folder of the built book.
    """
    sheets = sorted((html / "_static").rglob("*.css"))
    guilty = [sheet for sheet in sheets if CSS_ELSEWHERE.search(sheet.read_text(encoding="utf-8", errors="replace"))]
    return [f"{sheet.relative_to(html).as_posix()}: it would load something from another host" for sheet in guilty]
