import re

import numpy as np
import pytest

from beyond_alignment import project
from beyond_alignment.datasets import data_sets, normalise
from beyond_alignment.errors import InputError
from beyond_alignment.experts import EXPERTS, embed_expression, field_name, fit_frozen_pca, get_expert
from beyond_alignment.experts.embed import embed_morphology, set_embedding
from tests.tissue import make_tissue


def test_an_embedding_carries_what_made_it():
    adata = make_tissue(side=3)
    set_embedding(adata, "colour_200um", np.zeros((adata.n_obs, 6)), expert="colour", field_of_view_um=200)
    assert adata.obsm["X_colour_200um"].dtype == np.float32
    params = adata.uns["colour_200um"]["params"]
    assert params["expert"] == "colour"
    assert params["field_of_view_um"] == 200
    assert params["fitted_on"] == "nothing"
    assert {"source", "licence", "input"} <= set(params)


def test_expression_is_embedded_with_frozen_components():
    adata = make_tissue(side=4)
    adata.var_names = [f"G{i}" for i in range(adata.n_vars)]
    pca = fit_frozen_pca(normalise(adata), n_components=3, n_genes=20)
    embed_expression(adata, pca=pca, sets={"one": list(adata.var_names[:6])})
    assert adata.obsm["X_hallmark"].shape == (adata.n_obs, 1)
    assert adata.obsm["X_pca"].shape == (adata.n_obs, 3)
    assert adata.uns["pca"]["params"]["sha256"] == pca.sha256
    assert adata.uns["pca"]["params"]["n_genes"] == 20


def test_morphology_is_embedded_at_every_field(monkeypatch, model):
    adata = make_tissue(side=2, sections=("A1", "B1"))
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    for spatial in adata.uns["spatial"].values():
        spatial["scalefactors"]["tissue_image_scalef"] = 1.0
    monkeypatch.setattr("beyond_alignment.experts.embed.read_image", lambda adata, section: pixels)
    embed_morphology(adata, fields_um=(100, 300), device="cpu", model=model, progress=False)
    for field in (100, 300):
        assert adata.obsm[f"X_{field_name('mobilenetv2', field)}"].shape == (8, 1280)
        params = adata.uns[f"mobilenetv2_{field}um"]["params"]
        assert params["microns_per_pixel"] == field / 224
        assert params["sha256"] == model.sha256
        assert np.ptp(adata.obsm[f"X_colour_{field}um"], axis=0).max() > 0


def test_an_unknown_expert_is_refused():
    with pytest.raises(InputError, match="no expert 'resnet18'; known are colour, conch"):
        get_expert("resnet18")


def test_everything_that_is_cited_is_in_the_bibliography():
    text = (project.root() / "book" / "references.bib").read_text(encoding="utf-8")
    known = set(re.findall(r"^@\w+\{([^,]+),", text, flags=re.MULTILINE))
    cited = {expert.citation for expert in EXPERTS.values()} | {record.citation for record in data_sets()}
    assert cited - {""} <= known
