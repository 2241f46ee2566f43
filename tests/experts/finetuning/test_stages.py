"""Networks in stages against the networks as they are, and kept activations against none."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning import FinetuneSettings, VitStages, gene_stages
from beyond_alignment.experts.finetuning.activations import Activations
from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.registry import get_expert
from tests.experts.finetuning.conftest import DEPTH


@pytest.mark.parametrize("n_blocks", range(1, DEPTH + 1))
def test_a_vision_transformer_in_stages_is_the_whole_one(vit, stages, patches, n_blocks):
    raw = torch.from_numpy(patches[0][:5])
    mean, sd = (torch.tensor(colour).view(1, 3, 1, 1) for colour in (vit.expert.mean, vit.expert.sd))
    whole = vit.module((raw.permute(0, 3, 1, 2) / 255 - mean) / sd)
    torch.testing.assert_close(stages.leave(stages.enter(raw, n_blocks), n_blocks), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_blocks", [1, 2])
def test_a_gene_transformer_in_stages_is_the_whole_one_although_one_row_is_computed(genes, counts, n_blocks):
    stages, bins = gene_stages(genes, counts)
    raw = torch.from_numpy(bins[:9])
    found = stages.leave(stages.enter(raw, n_blocks), n_blocks)
    np.testing.assert_allclose(found, genes.embed(counts[:9], device="cpu"), atol=1e-5)


@pytest.mark.parametrize("kept", ["float32", "float16", "none"])
def test_activations_are_the_same_kept_or_not(stages, patches, kept):
    raw = torch.from_numpy(patches[0][:150])
    settings = FinetuneSettings(n_blocks=2, views=5, kept=kept)
    spots = Activations(stages, raw, settings)
    rows, views = torch.tensor([7, 149, 7, 70, 3]), torch.tensor([4, 0, 0, 3, 4])
    expected = torch.cat(
        [stages.enter(stages.turned(raw[i : i + 1], v), 2) for i, v in zip(rows.tolist(), views.tolist(), strict=True)]
    )
    torch.testing.assert_close(
        spots.of(rows, views), expected, atol=4e-3 if kept == "float16" else 1e-5, rtol=1e-3 if kept == "float16" else 0
    )
    torch.testing.assert_close(spots.of(rows)[0], expected[2], atol=4e-3, rtol=1e-3)


ELSEWHERE = """
import pickle, sys
import torch
stages, raw = pickle.load(open(sys.argv[1], "rb"))
torch.save(stages(raw).detach(), sys.argv[2])
"""


def test_another_process_gets_the_same_network(tmp_path, stages, patches):
    raw = torch.from_numpy(patches[0][:3])
    (tmp_path / "sent.pkl").write_bytes(pickle.dumps((stages, raw)))
    command = [sys.executable, "-c", ELSEWHERE, str(tmp_path / "sent.pkl"), str(tmp_path / "answer.pt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    torch.testing.assert_close(torch.load(tmp_path / "answer.pt"), stages(raw).detach(), rtol=1e-5, atol=1e-6)


def test_the_views_are_the_symmetries_of_the_square(stages):
    raw = torch.arange(2 * 4 * 4 * 3).view(2, 4, 4, 3)
    views = [stages.turned(raw, view) for view in range(stages.n_views)]
    assert torch.equal(views[0], raw)
    assert len({view.numpy().tobytes() for view in views}) == 8
    assert all(torch.equal(view.flatten().sort().values, raw.flatten()) for view in views)


def test_counts_have_one_view_and_other_networks_no_known_blocks(genes, counts):
    stages, bins = gene_stages(genes, counts)
    with pytest.raises(InputError, match=r"1 view\(s\)"):
        Activations(stages, torch.from_numpy(bins), FinetuneSettings(views=2))
    other = FrozenModel(nn.Linear(2, 2), source="definition", sha256="", expert=get_expert("mobilenetv2"))
    with pytest.raises(InputError, match="surrogate"):
        VitStages(other)


def test_tokens_that_float16_cannot_hold_are_refused(stages, patches):
    class Loud(VitStages):
        def enter(self, raw, n_blocks):
            return super().enter(raw, n_blocks) * 1e6

    loud = Loud(FrozenModel(stages.network, "definition", "", get_expert("tissue_vit")))
    with pytest.raises(InputError, match="float32"):
        Activations(loud, torch.from_numpy(patches[0][:4]), FinetuneSettings(kept="float16"))
