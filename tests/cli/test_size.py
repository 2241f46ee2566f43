"""What a fit costs, from the command line: a table with a row a size and method, and one sentence for bad input."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from beyond_alignment.benchmark import method_cost
from beyond_alignment.cli import app
from beyond_alignment.errors import InputError


def run(*arguments):
    return CliRunner().invoke(app, ["size", *map(str, arguments)])


def test_every_size_and_method_has_a_row_and_is_measured_once(tmp_path, monkeypatch):
    asked = []

    class Pool:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def apply(self, function, arguments):
            asked.append(arguments[:2])
            return [arguments[0][0] / 100, 2.0, 1e9]

    context = type("Context", (), {"Pool": lambda self, n: Pool()})
    monkeypatch.setattr(method_cost.multiprocessing, "get_context", lambda kind: context())
    options = ("--rows", 6000, "--rows", 600, "--features", 8, 4, "--method", "concat", "--method", "clip", "--out")
    said = run(*options, tmp_path)
    assert said.exit_code == 0, said.output
    assert len(asked) == 4
    assert ((6000, 8, 4), "clip") in asked
    found = pd.read_csv(tmp_path / "sizes.csv")
    assert list(found["seconds"]) == [60, 60, 6, 6]
    assert "1.00" in said.output  # minutes
    run(*options, tmp_path)
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("arguments", "match"), [(("--method", "magic"), "no fusion method 'magic'"), (("--features", 1, 4), "2 or more")]
)
def test_bad_input_is_one_sentence(arguments, match, tmp_path):
    said = run(*arguments, "--out", tmp_path)
    assert isinstance(said.exception, InputError)
    assert match in str(said.exception)
