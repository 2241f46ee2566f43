"""What holds of the prose of every committed notebook."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

HEADING = re.compile(r"^(#+)\s+(.*)$")
TARGET = re.compile(r"^\(([\w:.-]+)\)=\s*$", re.MULTILINE)
LINK = re.compile(r"\]\(#([\w:.-]+)\)")
ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")
CITATION = re.compile(r"\{cite[\w:]*\}`[^`]*`")
DECIMAL = re.compile(r"(?<![\w.])[-+−]?\d+\.\d+(?!\.?\d)")
SENTENCE_END = re.compile(r"(?<=[.!?:])\s+(?=[A-Z\[({*`])")
NOT_PROSE = (
    re.compile(r"^(`{3,}|~{3,}|:{3,}\{math\}).*?^\1?\s*(?:`{3,}|~{3,}|:{3,})\s*$", re.MULTILINE | re.DOTALL),
    re.compile(r"\$\$.*?\$\$", re.DOTALL),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"\{[\w:-]+\}`[^`]*`"),
    re.compile(r"``.*?``"),
    re.compile(r"`[^`\n]*`"),
    re.compile(r"(?<![\\$])\$[^$\n]+\$"),
    re.compile(r"\]\([^)]*\)"),
    re.compile(r"<?https?://[^\s>)]+>?"),
)
CONSTANTS_UNDER = ("data", "set-up")
TAKEAWAYS = "key takeaways"


def _markdown(notebook: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Yield number, from 1 over all cells, and text of each markdown cell."""
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] == "markdown":
            yield number, "".join(cell["source"])


def _sections(notebook: Mapping[str, Any]) -> Iterator[tuple[int, str, str]]:
    """Yield cell number, heading in lower case, and text of each section; a section can span cells."""
    heading = ""
    for number, text in _markdown(notebook):
        lines: list[str] = []
        for line in _blank(NOT_PROSE[0], text).splitlines():
            found = HEADING.match(line)
            if found:
                yield number, heading, "\n".join(lines)
                heading, lines = found[2].strip().lower(), []
            else:
                lines.append(line)
        yield number, heading, "\n".join(lines)


def takeaways(notebook: Mapping[str, Any]) -> list[str]:
    """Under the heading "Key takeaways" is a list, and every item links to a target ``(label)=`` on the page."""
    targets = {name for _, text in _markdown(notebook) for name in TARGET.findall(text)}
    section = "\n".join(text for _, heading, text in _sections(notebook) if heading == TAKEAWAYS)
    items = _items(section)
    faults = [] if items else ['there is no list under a heading "Key takeaways"']
    for item in items:
        links = LINK.findall(item)
        if not links:
            faults.append(f"this takeaway links to nothing on the page: {item.strip()!r}")
        faults += [f"there is no target ({name})= on the page" for name in links if name not in targets]
    return faults


def _items(text: str) -> list[str]:
    """Return the items of a list with their continuation lines."""
    items: list[str] = []
    for line in text.splitlines():
        if ITEM.match(line):
            items.append(line)
        elif items and line.strip():
            items[-1] += f" {line.strip()}"
    return items


def bare_decimals(notebook: Mapping[str, Any]) -> list[str]:
    """No number with a decimal point stands in prose: what was measured is glued from the run.

    Not prose are code, math, roles (so also what is glued), link targets and comments. A sentence with a citation may
    quote its numbers, and constants may stand under a heading that starts with "Data" or "Set-up".
    """
    faults = []
    for number, heading, text in _sections(notebook):
        if heading.startswith(CONSTANTS_UNDER):
            continue
        for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.|\|)\s)", text):
            for sentence in SENTENCE_END.split(paragraph):
                if not CITATION.search(sentence):
                    found = DECIMAL.findall(_prose(sentence))
                    faults += [
                        f"cell {number}: the bare number {item} in {sentence.strip()!r}; glue it" for item in found
                    ]
    return faults


def _prose(text: str) -> str:
    """Blank what is not prose."""
    for pattern in NOT_PROSE[1:]:
        text = _blank(pattern, text)
    return text


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """Put a space where a pattern matches."""
    return pattern.sub(" ", text)
