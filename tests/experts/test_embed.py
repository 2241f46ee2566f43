import re

import numpy as np
import pytest

from beyond_alignment import project
from beyond_alignment.datasets import data_sets, normalise
from beyond_alignment.errors import InputError
from beyond_alignment.experts import EXPERTS
from beyond_alignment.experts.embed import embed_expression, set_embedding
from beyond_alignment.experts.expression import fit_frozen_pca
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.fusion import FUSION_METHODS
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


def test_an_unknown_expert_is_refused():
    with pytest.raises(InputError, match="no expert 'resnet18'; known are colour, conch"):
        get_expert("resnet18")


def test_everything_that_is_cited_is_in_the_bibliography():
    text = (project.root() / "book" / "references.bib").read_text(encoding="utf-8")
    known = set(re.findall(r"^@\w+\{([^,]+),", text, flags=re.MULTILINE))
    cited = {expert.citation for expert in EXPERTS.values()} | {record.citation for record in data_sets()}
    cited |= {key for method in FUSION_METHODS.values() for key in method.citation}
    assert cited - {""} <= known
