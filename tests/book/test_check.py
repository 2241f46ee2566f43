import json

import pytest

from beyond_alignment.book.check import check_book, number_faults, page_faults
from beyond_alignment.book.notebook import toc_pages

TOC = """
format: jb-book
root: book/intro
parts:
- caption: One
  chapters:
  - file: notebooks/01_first
    sections:
    - file: book/more.md
  - url: https://example.org
"""
GOOD = '<link rel="stylesheet" href="_static/a.css"><a href="https://example.org">out</a><td>0.5</td><td>NANOG</td>'


@pytest.fixture
def book(project):
    """Make a built book of three pages."""
    project.write("_toc.yml", TOC)
    for page in ("book/intro", "notebooks/01_first", "book/more"):
        project.write(f"_build/html/{page}.html", GOOD)
    project.write("_build/html/_static/a.css", "a { background: url(data:x) }")
    assert check_book() == []
    return project


def test_every_page_of_the_contents_is_found(book):
    assert toc_pages() == ["book/intro", "notebooks/01_first", "book/more"]
    (book.root / "_build/html/book/more.html").unlink()
    assert check_book() == ["book/more: the table of contents names it, but there is no book/more.html"]


def test_a_style_sheet_that_loads_a_font_is_found(book):
    book.write("_build/html/_static/b.css", '@font-face { src: url("https://example.org/f.woff") }')
    assert check_book() == ["_static/b.css: it would load something from another host"]


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<script src="https://example.org/x.js"></script>', "it would load https://example.org/x.js"),
        ('<script src="//example.org/x.js"></script>', "it would load //example.org/x.js"),
        ('<img src="http://example.org/x.png">', "it would load http://example.org/x.png"),
        ('<link rel="preload stylesheet" href="https://example.org/x.css">', "it would load https://example.org/x.css"),
        ("<td> nan </td>", "a table holds NaN: 'nan'"),
        ("<td>NaN to NaN</td>", "a table holds NaN: 'NaN to NaN'"),
        ("<pre>Traceback (most recent call last)</pre>", "it shows a traceback"),
        ('<div class="output traceback">x</div>', "it shows a traceback"),
        ('<div class="output stderr">x</div>', "it shows output on stderr"),
    ],
)
def test_each_fault_is_found(html, fault):
    assert page_faults(GOOD) == []
    assert page_faults(GOOD + html) == [fault]


VALUE = {"value": 0.5, "interval": None, "n": 3, "unit": "", "digits": 3}


@pytest.mark.parametrize(
    ("here", "agrees"),
    [
        ({"value": 0.509}, True),
        ({"value": 0.52}, False),
        ({"value": "0.5"}, False),
        ({"value": 0.9, "interval": [0.4, 1.0]}, False),
        ({"value": 0.52, "interval": [0.51, 0.53]}, False),
    ],
)
def test_numbers_of_a_run_are_held_against_the_committed_ones(project, here, agrees):
    project.write("results/01_first.json", json.dumps({"values": {"gain": VALUE, "n": VALUE | {"value": 7}}}))
    values = {"gain": VALUE | here, "n": VALUE | {"value": 7}, "new": VALUE}
    project.write("executed/results/01_first.json", json.dumps({"values": values}))
    assert (number_faults() == []) == agrees


def test_intervals_that_overlap_agree_and_counts_have_to_be_equal(project):
    wide = VALUE | {"interval": [0.4, 0.6]}
    project.write("results/01_first.json", json.dumps({"values": {"gain": wide, "n": VALUE | {"value": 7}}}))
    far = VALUE | {"value": 0.65, "interval": [0.55, 0.7]}
    project.write("executed/results/01_first.json", json.dumps({"values": {"gain": far, "n": VALUE | {"value": 8}}}))
    assert number_faults() == ["01_first: n is 8 here and 7 in results/"]
