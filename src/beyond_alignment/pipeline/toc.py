"""The pages that the table of contents names."""

from typing import Any

import yaml

from beyond_alignment.project import root


def toc_pages() -> list[str]:
    """Return the pages named in ``_toc.yml``, without suffix, in reading order."""
    content = yaml.safe_load((root() / "_toc.yml").read_text(encoding="utf-8"))
    return [page.removesuffix(".md").removesuffix(".ipynb") for page in _files(content)]


def _files(node: Any) -> list[str]:
    """Collect ``root`` and ``file`` entries, however deep."""
    if isinstance(node, list):
        return [page for item in node for page in _files(item)]
    if not isinstance(node, dict):
        return []
    own = [str(node[key]) for key in ("root", "file") if key in node]
    return own + [page for value in node.values() if isinstance(value, list | dict) for page in _files(value)]
