"""Figures are tested in matplotlib's own style, whatever the tests before them have set."""

import matplotlib as mpl
import pytest


@pytest.fixture(autouse=True)
def plain_style():
    """Matplotlib's defaults for the time of a test."""
    with mpl.rc_context():
        mpl.rcdefaults()
        yield
