import copy

import pytest

from tests.notebooks.page_rules import RULES


def code(source, *outputs, tags=(), count=0, **metadata):
    found = {"tags": list(tags), **metadata}
    cell = {
        "cell_type": "code",
        "source": source,
        "metadata": found,
        "outputs": list(outputs),
        "execution_count": count,
    }
    return cell | {"id": f"code-{count}"}


def text(source, name):
    return {"cell_type": "markdown", "source": source, "metadata": {}, "id": name}


def printed(words):
    return {"output_type": "stream", "name": "stdout", "text": [words]}


TITLE = """# A page

## Key takeaways
- Fusion gains {glue:text}`gain` on niches,
  as [the scores show](#scores).
- Alignment does not: see [below](#scores).
"""
RESULTS = """(scores)=
## Scores
Gain was {glue:text}`gain:.3f` (interval {glue:text}`gain_low` to {glue:text}`gain_high`), over `0.5` in $p > 0.05$
and [see there](https://example.org/1.2). {cite:t}`someone2024` report 0.72. There were 12 spots of 3, by version 1.2.3.

```{math}
x = 0.5
```
"""
SETUP = "## Data and scale\nA pixel is 0.69 um wide.\n"
PARAMETERS = 'recompute = "check"\ndevice = "auto"\nseed = 0\nrate = 0.1'
SHOWN = [printed("x")]


def good():
    """Build a page that breaks no rule."""
    cells = [
        text(TITLE, "title"),
        code(PARAMETERS, tags=["parameters", "remove-cell"], count=1),
        text(SETUP, "setup"),
        code('page = Page("a", globals())\nfit(rate)', tags=["remove-input"], count=2),
        text(RESULTS, "results"),
        code("print(gain)", printed("0.123\n"), tags=["hide-input"], count=3),
        code("plot(gain)", *SHOWN, tags=["nbval-ignore-output", "hide-input"], reason="differs by machine", count=4),
        *(code(f"print({n})", *SHOWN, tags=["hide-input"], count=n) for n in range(5, 14)),
        code("page.values(gain=gain)", tags=["remove-cell"], count=14),
        code("page.claims(claims)", tags=["remove-input"], count=15),
        code("page.close()", *SHOWN, tags=["remove-input", "nbval-ignore-output"], reason="packages", count=16),
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def set_cell(number, **changes):
    return lambda notebook: notebook["cells"][number].update(changes)


def set_metadata(number, **changes):
    return lambda notebook: notebook["cells"][number]["metadata"].update(changes)


def replace(number, old, new):
    def change(notebook):
        cell = notebook["cells"][number]
        assert old in cell["source"]
        cell["source"] = cell["source"].replace(old, new)

    return change


def show(number, **output):
    return set_cell(number, outputs=[{"output_type": "display_data", "metadata": {}} | output])


BAD = [
    ("executed", set_cell(5, execution_count=None)),
    ("executed", set_cell(5, execution_count=9)),
    ("executed", set_cell(6, outputs=[{"output_type": "stream", "name": "stderr", "text": "x"}])),
    ("executed", set_cell(6, outputs=[{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}])),
    ("compared", set_metadata(6, reason=" ")),
    ("compared", set_metadata(5, tags=["nbval-ignore-output", "hide-input"], reason="x")),
    ("collapsed", set_metadata(5, tags=[])),
    ("collapsed", set_metadata(1, tags=["parameters", "hide-input"])),
    ("collapsed", set_metadata(3, tags=["hide-input"])),
    ("collapsed", set_metadata(16, tags=["hide-input"])),
    ("bookkeeping", set_cell(16, source="page.values(\n    a=1,\n    b=2,\n    c=3,\n)\n" * 2)),
    ("compared", set_metadata(5, tags=["nbval-skip"])),
    ("compared", replace(6, "plot", "# NBVAL_IGNORE_OUTPUT\nplot")),
    ("compared", lambda page: page.update(cells=[*page["cells"][:5], *page["cells"][6:7], *page["cells"][16:]])),
    ("only_calls", set_cell(5, source="def f():\n    pass")),
    ("only_calls", set_cell(5, source="if x:\n    class A:\n        pass")),
    ("only_calls", set_cell(5, source="%pip install x")),
    ("only_calls", set_cell(5, source="subprocess.run(['pip', 'install'])")),
    ("short", set_cell(5, source="x\n" * 16)),
    ("short", set_cell(5, source="x" * 97)),
    ("parameterised", set_metadata(1, tags=[])),
    ("parameterised", set_metadata(3, tags=["parameters"])),
    ("parameterised", replace(1, "seed = 0", "seed = None")),
    ("parameterised", replace(1, 'device = "auto"', "unused = 1")),
    ("parameterised", replace(3, "rate", "0")),
    ("closed", replace(18, "page.close()", "page.close")),
    ("closed", replace(17, "page.claims(claims)", "page.values(a=1)")),
    ("identified", set_cell(5, id="")),
    ("identified", set_cell(5, id="code-1")),
    ("portable", show(5, data={"text/plain": ["[<Line2D at 0x7f3a2b1c>]"]})),
    ("portable", show(5, data={"text/html": "<b>/home/someone/x</b>"})),
    ("portable", show(5, data={"application/vnd.jupyter.widget-view+json": {}})),
    ("takeaways", replace(0, "## Key takeaways", "## Summary")),
    ("takeaways", replace(0, "(#scores)", "(#nowhere)")),
    ("takeaways", replace(0, "[below](#scores)", "below")),
    ("bare_decimals", replace(0, "on niches", "of 0.12 on niches")),
    ("bare_decimals", replace(4, "12 spots", "12.5 spots")),
    ("bare_decimals", replace(4, "over `0.5`", "over 0.5")),
    ("bare_decimals", replace(4, "{cite:t}`someone2024`", "They")),
    ("bare_decimals", replace(2, "## Data and scale", "## Scale")),
]


@pytest.mark.parametrize("rule", RULES)
def test_a_good_page_breaks_no_rule(rule):
    assert RULES[rule](good()) == []


@pytest.mark.parametrize(("rule", "change"), BAD)
def test_each_rule_can_be_broken(rule, change):
    notebook = copy.deepcopy(good())
    change(notebook)
    assert RULES[rule](notebook)


def test_every_rule_is_shown_to_fail():
    assert {rule for rule, _ in BAD} == set(RULES)
