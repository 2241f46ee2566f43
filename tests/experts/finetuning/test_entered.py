"""A network whose frozen part has run beforehand is fine-tuned to the same as one that reads raw spots."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from beyond_alignment.benchmark.finetuned_cells import RawInput, finetuned_cell
from beyond_alignment.benchmark.problem import Problem
from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning import FinetuneSettings, enter_spots, finetune
from beyond_alignment.experts.finetuning.gene_stages import gene_stages
from beyond_alignment.tasks.splits import Split
from tests.experts.finetuning.conftest import DEPTH

LORA = FinetuneSettings(way="lora", n_blocks=1, learning_rates=(1e-2,), epochs=4, batch_size=32)
SETTINGS = pytest.mark.parametrize(
    "settings", [LORA, replace(LORA, way="last_blocks", n_blocks=2)], ids=["lora", "last blocks"]
)


@SETTINGS
def test_patches_that_have_entered_give_the_same_expert_at_the_same_cost(stages, patches, settings):
    raw, labels, donors = patches
    train, test = np.isin(donors, ["A", "B", "C"]), np.isin(donors, ["D"])
    entered = enter_spots(stages, raw, n_blocks=settings.n_blocks)
    whole = finetune(stages, raw[train], labels[train], donors[train], settings=settings, device="cpu")
    part = finetune(entered.stages, entered.tokens[train], labels[train], donors[train], settings=settings)
    assert part.name == whole.name
    assert part.chosen.epochs == whole.chosen.epochs > 0
    np.testing.assert_allclose(
        part.predict_proba(entered.tokens[test]), whole.predict_proba(raw[test]), rtol=1e-3, atol=1e-4
    )
    assert part.cost.flops + train.sum() * entered.flops == pytest.approx(whole.cost.flops, rel=1e-9)
    assert entered.seconds > 0


def test_counts_that_have_entered_give_the_same_expert(genes, counts):
    stages, bins = gene_stages(genes, counts)
    labels, donors = counts.obs["agree"].to_numpy(), counts.obs["donor"].astype(str).to_numpy()
    entered = enter_spots(stages, bins, n_blocks=1)
    whole = finetune(stages, bins, labels, donors, settings=LORA, device="cpu")
    part = finetune(entered.stages, entered.tokens, labels, donors, settings=LORA, device="cpu")
    np.testing.assert_allclose(part.predict_proba(entered.tokens), whole.predict_proba(bins), rtol=1e-3, atol=1e-4)


def test_a_cell_of_a_fold_counts_what_ran_beforehand(stages, patches):
    raw, labels, donors = patches
    everyone = np.arange(len(raw))
    problem = Problem(
        kind="classification",
        labels=labels,
        classes=("first", "second"),
        levels=(donors,),
        tiles=everyone,
        strata=donors,
        positions=everyone,
    )
    split = Split(name="F", train=everyone[np.isin(donors, ["A", "B"])], test=everyone[donors == "F"])
    entered = enter_spots(stages, raw, n_blocks=LORA.n_blocks)
    given = RawInput(entered.tokens, entered.stages, seconds=100.0, operations=entered.flops)
    whole, part = (finetuned_cell(one, problem, split, LORA) for one in (RawInput(raw, stages), given))
    np.testing.assert_allclose(part["probability"], whole["probability"], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(part["spent"][1:], whole["spent"][1:])
    assert part["spent"][0] > 100.0 * (len(split.train) + len(split.test))


def test_what_is_left_of_a_network_can_be_sent_and_no_more_blocks_be_trained(stages, patches):
    entered = enter_spots(stages, patches[0][:8], n_blocks=1)
    sent = pickle.loads(pickle.dumps(entered.stages))
    tokens = torch.from_numpy(entered.tokens)
    assert torch.equal(sent(tokens), entered.stages(tokens))
    torch.testing.assert_close(sent(tokens), stages(torch.from_numpy(patches[0][:8])))
    settings = replace(LORA, n_blocks=2)
    with pytest.raises(InputError, match="has 1 blocks and the last 2"):
        finetune(entered.stages, entered.tokens, patches[1][:8], np.arange(8), settings=settings, device="cpu")
    assert len(enter_spots(stages, patches[0][:8], n_blocks=DEPTH).stages.blocks) == DEPTH
