"""A page shows the table of the reference run where there is one."""

import pandas as pd

from beyond_alignment.results import shown_table, table_file


def test_the_reference_table_is_shown_where_it_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("BEYOND_ALIGNMENT_RESULTS", str(tmp_path))
    here, there = pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2, 3]})
    assert shown_table("06_x", "points", here, profile="quick") == (here, "this run")
    path = table_file("06_x", "points", "reference")
    path.parent.mkdir(parents=True)
    there.to_csv(path, index=False)
    shown, origin = shown_table("06_x", "points", here, profile="quick")
    assert (list(shown["a"]), origin) == ([2, 3], "the reference run")
    assert shown_table("06_x", "points", here, profile="reference") == (here, "the reference run")
