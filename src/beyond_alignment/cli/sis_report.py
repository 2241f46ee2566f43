"""The report of a decomposition: one file that loads nothing from elsewhere and reads in light and dark."""

import io
import math
import re
from contextlib import ExitStack
from importlib import resources
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from beyond_alignment import __version__
from beyond_alignment.cli.sis_answer import INDENTED, SisAnswer
from beyond_alignment.files import atomic_path
from beyond_alignment.information.advice import RULE, TABLE, RuleRow
from beyond_alignment.plotting.decomposition import plot_pid
from beyond_alignment.plotting.style import use_style

TEMPLATE = "sis_report.html"


def render_report(answer: SisAnswer) -> str:
    """Return the report as HTML: recommendation, warnings, figure, table and how to read them."""
    rows = [
        {
            "span": f"{row.low:.2f} to {row.high:.2f}",
            "name": row.name,
            "advice": row.advice,
            "touched": row in answer.strategy.rows,
            "recommended": row.name == answer.strategy.recommended,
        }
        for row in TABLE
    ]
    rule = answer.rule
    by_pairs = [
        {
            "span": f"{row.low:.2f} to {row.high:.2f}",
            "pairs": _pairs(row),
            "name": row.name,
            "advice": row.advice,
            "touched": rule is not None and row in rule.rows,
            "said": rule is not None and row == rule.row,
        }
        for row in RULE
    ]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resources.files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8"))
    page = template.render(
        answer=answer,
        estimate=answer.estimate,
        indented=INDENTED,
        rows=rows,
        rule=rule,
        by_pairs=by_pairs,
        figure=_figure(answer),
        version=__version__,
    )
    return page.rstrip() + "\n"


def write_answer(answer: SisAnswer, *, html: Path | None = None, json: Path | None = None) -> None:
    """Write the report, the record, or both; where one cannot be made, neither is written."""
    texts = {}
    if html is not None:
        texts[html] = render_report(answer)
    if json is not None:
        texts[json] = answer.json()
    with ExitStack() as files:
        for path, text in texts.items():
            files.enter_context(atomic_path(path)).write_text(text, encoding="utf-8")


def _figure(answer: SisAnswer) -> Markup:
    """Draw the decomposition as inline SVG, without the addresses that matplotlib puts in."""
    with mpl.rc_context():
        use_style()
        figure = plot_pid(answer.estimate, names=(answer.inputs["first"], answer.inputs["second"]))
        text = _svg(figure)
        plt.close(figure)
    return Markup(text)


def _svg(figure: Figure) -> str:
    """Return a figure as an SVG element."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return text.replace("<svg ", '<svg role="img" aria-label="Decomposition; the numbers are in the table below" ', 1)


def _pairs(row: RuleRow) -> str:
    """Write the numbers of pairs that a row of the rule is for."""
    if row.most == math.inf:
        return "any number" if row.fewest <= 1 else f"more than {row.fewest - 1:,}"
    return f"fewer than {row.most + 1:,}" if row.fewest <= 1 else f"{row.fewest:,} to {row.most:,}"
