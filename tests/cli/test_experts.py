import io
import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

from beyond_alignment.cli import app
from beyond_alignment.cli.experts_console import show_expert, show_experts
from beyond_alignment.experts.availability import Availability
from beyond_alignment.experts.registry import EXPERTS

READY = Availability(True, (), "registered file somewhere")
FETCHED = Availability(True, (), "hub owner/name", 1.2)
LACKING = Availability(False, ("token: ask for it", "GPU memory: 6.2 GiB are needed"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Availability without a look at the machine."""
    answers = {"mobilenetv2": READY, "phikon": FETCHED}
    monkeypatch.setattr("beyond_alignment.experts.availability.availability", lambda name: answers.get(name, LACKING))


def run(*arguments):
    return CliRunner().invoke(app, ["experts", *arguments])


@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_every_expert_is_listed_and_what_it_lacks(arguments):
    answer = run(*arguments)
    assert answer.exit_code == 0
    for name in EXPERTS:
        assert name in answer.output
    assert "uni: token: ask for it; GPU memory: 6.2 GiB are needed" in answer.output
    assert "mobilenetv2: " not in answer.output


@pytest.mark.parametrize("arguments", [("--json",), ("list", "--json")])
def test_json_has_every_field_of_every_record(arguments):
    records = {record["name"]: record for record in json.loads(run(*arguments).output)}
    assert set(records) == set(EXPERTS)
    assert set(records["uni"]) == {*vars(EXPERTS["uni"]), "here"}
    assert records["uni"]["here"] == {
        "usable": False, "missing": list(LACKING.missing), "weights": "", "download_gb": 0.0
    }  # fmt: skip
    assert records["uni"]["revision"] == EXPERTS["uni"].revision


def test_one_record_is_shown_whole():
    answer = run("show", "UNI2-h")
    assert answer.exit_code == 0
    text = "".join(answer.output.split())
    assert EXPERTS["uni2_h"].revision in text
    assert "681,394,176" in text
    assert json.loads(run("show", "uni2_h", "--json").output)["here"]["usable"] is False


@pytest.mark.parametrize("width", [80, 120, 160])
def test_nothing_is_cut_on_a_terminal_of_any_width(width):
    console = Console(file=io.StringIO(), width=width)
    show_experts([(expert, LACKING) for expert in EXPERTS.values()], console)
    table = console.file.getvalue().partition("Missing here")[0]
    assert max(map(len, table.splitlines())) <= width
    for expert in EXPERTS.values():
        assert f" {expert.name} " in table
        assert expert.revision[:7] in table


def test_a_download_is_told_apart_from_what_is_here():
    console = Console(file=io.StringIO(), width=100)
    show_experts([(EXPERTS["phikon"], FETCHED), (EXPERTS["mobilenetv2"], READY)], console)
    lines = {line.split()[0]: line.split()[1] for line in console.file.getvalue().splitlines() if len(line.split()) > 3}
    assert (lines["phikon"], lines["mobilenetv2"]) == ("fetch", "yes")
    assert "Missing here" not in console.file.getvalue()
    show_expert(EXPERTS["phikon"], FETCHED, console)
    assert "1.2 GB at first use" in console.file.getvalue()
