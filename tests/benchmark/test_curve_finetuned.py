"""Curves of experts that are fine-tuned from raw input, on tissue whose counts hold half of a label."""

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from beyond_alignment.benchmark import curve_finetuned
from beyond_alignment.benchmark.curve_finetuned import finetuned_curves, raw_reasons
from beyond_alignment.benchmark.curve_problems import pose_curves
from beyond_alignment.benchmark.finetuned_cells import RawInput, finetuned_cell
from beyond_alignment.benchmark.scaling import subset
from beyond_alignment.experts.finetuning import FinetuneSettings
from beyond_alignment.experts.finetuning.gene_stages import gene_stages
from tests.benchmark.stand_ins import CONTESTS, two_bits
from tests.experts.finetuning.conftest import small_transformer

FRACTIONS = (0.5, 1.0)
SETTINGS = FinetuneSettings(way="lora", n_blocks=1, learning_rates=(1e-2,), epochs=2)


@pytest.fixture(scope="module")
def tissue():
    data = two_bits(side=4)
    spots = data["her2st"]
    first = spots.obsm["X_pca"][:, 0] > 0
    rates = np.where(first[:, None] & (np.arange(40) < 20), 6.0, 2.0)
    genes = pd.DataFrame(index=[f"G{i}" for i in range(40)])
    drawn = sparse.csr_matrix(np.random.default_rng(0).poisson(rates).astype(np.float32))
    counts = ad.AnnData(drawn, obs=spots.obs.copy(), var=genes)
    return data, counts, small_transformer(counts, shown=16)


def test_the_frozen_part_runs_once_and_a_point_is_that_of_raw_counts(tissue, monkeypatch):
    data, counts, trained = tissue
    entered = []

    def enter_spots(stages, raw, *, n_blocks):
        entered.append(len(raw))
        return enter(stages, raw, n_blocks=n_blocks)

    enter = curve_finetuned.enter_spots
    monkeypatch.setattr(curve_finetuned, "enter_spots", enter_spots)
    monkeypatch.setattr(curve_finetuned, "starting_gene_transformer", lambda tested_donors: trained)
    monkeypatch.setattr(curve_finetuned, "raw_counts", lambda spots, given: gene_stages(given, counts[spots.obs_names]))
    contests = [replace(one, method="finetuned_expression") for one in CONTESTS[:2]]
    found = finetuned_curves(data, contests, fractions=FRACTIONS, n_replicates=5, settings=SETTINGS)
    assert entered == [counts.n_obs]  # for both seeds, all fractions and folds

    bench = pose_curves(data, contests).of(contests[1])
    stages, bins = gene_stages(trained, counts)
    own = replace(SETTINGS, seed=contests[1].seed)
    parts = [subset(one, bench.problem.labels, fraction=0.5, seed=contests[1].seed) for one in bench.splits]
    cells = [finetuned_cell(RawInput(bins, stages), bench.problem, part, own) for part in parts]
    point = found[(found["seed"] == contests[1].seed) & (found["fraction"] == 0.5)].iloc[0]
    assert point["operations"] == pytest.approx(sum(cell["spent"][1] for cell in cells), rel=1e-9)
    assert point["epochs"] == np.mean([cell["spent"][3] for cell in cells])
    shares = np.concatenate([cell["probability"] for cell in cells])
    truth = np.concatenate([bench.problem.labels[part.test] for part in parts])
    accuracy = found[(found["seed"] == contests[1].seed) & (found["fraction"] == 0.5) & (found["metric"] == "accuracy")]
    assert accuracy["value"].item() == pytest.approx(
        np.mean(np.array(bench.problem.classes)[shares.argmax(axis=1)] == truth)
    )


def test_counts_that_the_network_cannot_read_are_said_to_be_so_before_a_run(tissue, monkeypatch):
    data, counts, trained = tissue
    mouse = counts.copy()
    mouse.var_names = [f"Mouse{i}" for i in range(mouse.n_vars)]
    expression = replace(CONTESTS[0], method="finetuned_expression")
    morphology = replace(CONTESTS[0], method="finetuned_morphology")
    monkeypatch.setattr(curve_finetuned, "raw_absence", lambda spots, modality: "")
    monkeypatch.setattr(curve_finetuned, "starting_gene_transformer", lambda tested_donors: trained)
    monkeypatch.setattr(curve_finetuned, "raw_counts", lambda spots, given: gene_stages(given, mouse[spots.obs_names]))
    reasons = raw_reasons(data, [expression, morphology])
    assert "check the species" in reasons[expression]
    assert reasons[morphology] == ""
    monkeypatch.setattr(curve_finetuned, "raw_counts", lambda spots, given: gene_stages(given, counts[spots.obs_names]))
    assert raw_reasons(data, [expression]) == {expression: ""}
    monkeypatch.setattr(curve_finetuned, "raw_absence", lambda spots, modality: f"No {modality} here.")
    assert raw_reasons(data, [expression, morphology])[morphology] == "No morphology here."
