from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from beyond_alignment.experts.finetuning import VitStages
from beyond_alignment.experts.gene_transformer import GeneTransformer, GeneTransformerShape, TrainedGeneTransformer
from beyond_alignment.experts.gene_values import fit_gene_scale
from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.torchvision_operators import import_timm

PX, DIMENSION, DEPTH = 16, 24, 3


def small_vit(*, blind):
    """A vision transformer of drawn weights: 4 tokens of 8 px, 3 blocks.

    In a blind one no block adds anything, so that its embedding is the mean of the patches, wherever they lie.
    """
    import_timm()
    from timm.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    module = VisionTransformer(
        img_size=PX, patch_size=8, embed_dim=DIMENSION, depth=DEPTH, num_heads=2, num_classes=0, global_pool="avg"
    )
    module.pos_embed.data.normal_()
    for block in module.blocks:
        for layer in (block.attn.proj, block.mlp.fc2):
            silence(layer) if blind else layer.weight.data.normal_(std=0.2)
    expert = replace(get_expert("tissue_vit"), name="small_vit", dimension=DIMENSION, input_px=PX)
    return FrozenModel(module.eval().requires_grad_(False), source="definition", sha256="", expert=expert)


def silence(layer):
    """Make a linear layer give zeros."""
    layer.weight.data.zero_()
    layer.bias.data.zero_()


@pytest.fixture(scope="session")
def vit():
    return small_vit(blind=False)


@pytest.fixture(scope="session")
def stages(vit):
    return VitStages(vit)


@pytest.fixture(scope="session")
def blind_stages():
    return VitStages(small_vit(blind=True))


@pytest.fixture(scope="session")
def patches():
    """Spots of six donors whose class is which of two quadrants is the brighter, as the mean patch does not tell."""
    rng = np.random.default_rng(0)
    n = 240
    first = rng.integers(0, 2, n)
    sign = (2 * first - 1)[:, None, None, None]
    values = rng.normal(128, 20, (n, PX, PX, 3))
    values[:, :8, :8] += 50 * sign
    values[:, 8:, 8:] -= 50 * sign
    raw = np.clip(values, 0, 255).astype(np.uint8)
    return raw, np.where(first, "first", "second"), np.repeat(list("ABCDEF"), n // 6)


@pytest.fixture(scope="session")
def counts():
    """Spots of drawn counts of 66 genes, in four donors; the class is whether two programmes of genes agree."""
    rng = np.random.default_rng(1)
    n, n_genes = 320, 66
    bits = rng.integers(0, 2, (n, 2))
    rates = np.full((n, n_genes), 2.0)
    rates[:, :20] += 6 * bits[:, :1]
    rates[:, 20:40] += 6 * bits[:, 1:]
    obs = pd.DataFrame({"donor": np.repeat(list("ABCD"), n // 4)}, index=[f"s{i}" for i in range(n)])
    var = pd.DataFrame(index=[f"G{i}" for i in range(n_genes)])
    adata = ad.AnnData(sparse.csr_matrix(rng.poisson(rates).astype(np.float32)), obs=obs, var=var)
    adata.obs["agree"] = bits[:, 0] == bits[:, 1]
    return adata


def small_transformer(counts, *, shown):
    """A transformer of drawn weights over these genes that shows the first few of its 16 features alone."""
    values = counts.X.toarray()
    scale = fit_gene_scale(list(counts.var_names), values, values.sum(axis=1))
    torch.manual_seed(0)
    module = GeneTransformer(GeneTransformerShape(counts.n_vars, scale.n_bins, 16, 2, 2))
    for value in module.parameters():
        value.data.add_(torch.randn_like(value) * 0.05)
    module.norm.weight.data[shown:] = 0
    module.norm.bias.data[shown:] = 0
    return TrainedGeneTransformer(module.eval().requires_grad_(False), scale)


@pytest.fixture(scope="session")
def genes(counts):
    return small_transformer(counts, shown=16)


@pytest.fixture(scope="session")
def narrow_genes(counts):
    return small_transformer(counts, shown=2)
