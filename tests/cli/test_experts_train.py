from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from beyond_alignment import tokens
from beyond_alignment.cli.experts_train import train
from beyond_alignment.errors import InputError
from beyond_alignment.experts import training

app = typer.Typer()
app.command()(train)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What the training is asked for, without one."""
    calls = []

    def fake(**arguments):
        calls.append(arguments)
        card = SimpleNamespace(size=11_000_000, hours=1.5)
        return SimpleNamespace(weights=arguments["out"] / "weights.safetensors", card=card)

    monkeypatch.setattr(training, "train_tissue_vit", fake)
    monkeypatch.setattr(training, "train_gene_transformer", fake)
    monkeypatch.setattr(tokens, "train_nucleus_vit", fake)
    return calls


def test_options_reach_the_training(asked, tmp_path):
    options = ["tissue_vit", "--profile", "reference", "--exclude-donor", "C", "--exclude-donor", "B", "--no-resume"]
    options += ["--out", str(tmp_path), "--seed", "3", "--precision", "bfloat16", "--device", "cpu"]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    assert "11.0 MB, 1.50 h" in " ".join(result.output.split())
    assert asked == [
        {
            "out": tmp_path, "profile": "reference", "seed": 3, "device": "cpu", "exclude_donors": ("B", "C"),
            "precision": "bfloat16", "resume": False,
        }
    ]  # fmt: skip


def test_variants_have_folders_of_their_own(asked):
    for options in (["gene_transformer"], ["tissue_vit"], ["tissue_vit", "--exclude-donor", "B"]):
        assert CliRunner().invoke(app, options).exit_code == 0
    names = [call["out"].name for call in asked]
    assert names == ["gene_transformer_quick", "tissue_vit_quick", "tissue_vit_quick_without_B"]


def test_the_expert_of_simulated_tissue_has_no_donors_to_leave_out(asked):
    assert CliRunner().invoke(app, ["nucleus_vit"]).exit_code == 0
    assert asked[0]["out"].name == "nucleus_vit_quick"
    assert "exclude_donors" not in asked[0]
    refused = CliRunner().invoke(app, ["nucleus_vit", "--exclude-donor", "B"])
    assert isinstance(refused.exception, InputError)
    assert len(asked) == 1


def test_a_place_that_is_a_file_and_an_unknown_expert_are_refused(asked, tmp_path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["tissue_vit", "--out", str(tmp_path / "file" / "below")])
    assert isinstance(result.exception, InputError)
    assert CliRunner().invoke(app, ["resnet"]).exit_code == 2
    assert not asked
