"""Networks in stages against the networks as they are, and kept activations against none."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning import VitStages
from beyond_alignment.experts.finetuning.activations import Activations
from beyond_alignment.experts.finetuning.gene_stages import gene_stages
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


@pytest.mark.parametrize("keep", [True, False])
def test_activations_are_the_same_kept_or_not(stages, patches, keep):
    raw, rows = torch.from_numpy(patches[0][:150]), torch.tensor([7, 149, 7, 70, 3])
    spots = Activations(stages, raw, 2, keep=keep)
    torch.testing.assert_close(spots.of(rows), stages.enter(raw[rows], 2), atol=1e-5, rtol=0)


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


def test_other_networks_have_no_known_blocks():
    other = FrozenModel(nn.Linear(2, 2), source="definition", sha256="", expert=get_expert("mobilenetv2"))
    with pytest.raises(InputError, match="surrogate"):
        VitStages(other)
