"""The book: what its notebooks record and show, and how it is run, built and checked."""

from beyond_alignment.book.page import Page

__all__ = ["Page"]
