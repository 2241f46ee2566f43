"""What each page measured: claims with value, interval, n, seeds and verdict, in ``results/*.json``."""

from beyond_alignment.results.agreement import Agreement, agree
from beyond_alignment.results.claims import CLAIMS, VERDICTS
from beyond_alignment.results.html import HtmlTable
from beyond_alignment.results.locations import folder, load, page_file, table_file
from beyond_alignment.results.notice import Notice, notice, raw_data_notice
from beyond_alignment.results.page import Page
from beyond_alignment.results.shown import shown_table

__all__ = [
    "CLAIMS",
    "VERDICTS",
    "Agreement",
    "HtmlTable",
    "Notice",
    "Page",
    "agree",
    "folder",
    "load",
    "notice",
    "page_file",
    "raw_data_notice",
    "shown_table",
    "table_file",
]
