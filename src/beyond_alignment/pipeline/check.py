"""Whether the built book is whole: every page there, no error in it, nothing loaded from elsewhere."""

import re
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from beyond_alignment.errors import InputError
from beyond_alignment.pipeline.places import book_folder
from beyond_alignment.pipeline.toc import toc_pages
from beyond_alignment.results.locations import QUICK

ELSEWHERE = re.compile(r"\s*(https?:)?//", re.IGNORECASE)
CSS_ELSEWHERE = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])(?:https?:)?//""", re.IGNORECASE)
NOT_A_NUMBER = re.compile(r"\b(nan|NaN)\b")
LOADING_LINKS = {"stylesheet", "preload", "modulepreload", "icon", "manifest", "prefetch"}


def check_book(profile_name: str = QUICK) -> list[str]:
    """Look for faults in a built book.

    Parameters
    ----------
    profile_name
        Name of the profile that was built.

    Returns
    -------
    list of str
        One sentence a fault, with the page in front; empty when the book is whole.

    Raises
    ------
    InputError
        If the book has not been built.
    """
    html = book_folder(profile_name) / "_build" / "html"
    if not html.is_dir():
        msg = f"There is no built book: run `beyond-alignment book build --profile {profile_name}` first."
        raise InputError(msg)
    faults = []
    for page in toc_pages():
        path = html / f"{page}.html"
        if path.is_file():
            faults += [f"{page}: {fault}" for fault in page_faults(path.read_text(encoding="utf-8"))]
        else:
            faults.append(f"{page}: the table of contents names it, but there is no {page}.html")
    return faults + stylesheet_faults(html)


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
