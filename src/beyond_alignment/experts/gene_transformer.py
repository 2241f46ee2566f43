"""``gene_transformer``: a transformer over binned expression whose CLS token is the embedding of a spot."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional

from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device, resolve_device
from beyond_alignment.experts.gene_values import GeneScale

NAME = "gene_transformer"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GeneTransformerShape:
    """Sizes of the network.

    Attributes
    ----------
    genes, bins
        Genes it reads, and bins of their values.
    dimension, depth, heads
        Features of the embedding, blocks, attention heads.
    """

    genes: int
    bins: int
    dimension: int
    depth: int
    heads: int


class GeneTransformer(nn.Module):
    """A gene's token is the sum of what gene it is and in which bin its value lies; there is no order of genes.

    Parameters
    ----------
    shape
        Sizes.
    """

    def __init__(self, shape: GeneTransformerShape) -> None:
        super().__init__()
        d = shape.dimension
        self.shape = shape
        self.gene = nn.Embedding(shape.genes, d)
        self.value = nn.Embedding(shape.bins, d)
        self.cls = nn.Parameter(torch.zeros(1, 1, d))
        self.blocks = nn.ModuleList(Block(d, shape.heads) for _ in range(shape.depth))
        self.norm = nn.LayerNorm(d)
        self.query = nn.Sequential(nn.Linear(d, d), nn.GELU(), nn.Linear(d, d))
        self.read_out = nn.Linear(d, shape.genes)
        for weight in (self.gene.weight, self.value.weight, self.cls, self.read_out.weight):
            nn.init.normal_(weight, std=0.02)

    def forward(self, genes: Tensor, bins: Tensor) -> Tensor:
        """Embed spots.

        Parameters
        ----------
        genes
            Which genes a spot shows (spot, token).
        bins
            The bins of their values (spot, token).

        Returns
        -------
        Tensor
            The CLS token (spot, feature).
        """
        tokens = self.gene(genes) + self.value(bins)
        tokens = torch.cat([self.cls.expand(len(tokens), -1, -1).to(tokens.dtype), tokens], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        embedding: Tensor = self.norm(tokens[:, 0])
        return embedding

    def profile(self, embedding: Tensor) -> Tensor:
        """Return the log expression of every gene, up to a constant of the spot: (spot, gene)."""
        logits: Tensor = self.read_out(self.query(embedding))
        return logits


class Block(nn.Module):
    """Attention and a perceptron, each after a norm and added to what came in."""

    def __init__(self, dimension: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dimension), nn.LayerNorm(dimension)
        self.qkv, self.out = nn.Linear(dimension, 3 * dimension), nn.Linear(dimension, dimension)
        self.mlp = nn.Sequential(nn.Linear(dimension, 4 * dimension), nn.GELU(), nn.Linear(4 * dimension, dimension))

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (spot, token, feature) to the same."""
        n, t, d = tokens.shape
        qkv = self.qkv(self.norm1(tokens)).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mixed = self._attend(qkv[0], qkv[1], qkv[2])
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(n, t, d))
        return tokens + self.mlp(self.norm2(tokens))

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Mix values by attention, (spot, head, token, feature)."""
        if self.training and query.device.type == "cpu":  # the gradient of the fused kernel takes half of a CPU's time
            weights = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
            return weights.softmax(dim=-1) @ value
        return functional.scaled_dot_product_attention(query, key, value)


@dataclass(frozen=True)
class TrainedGeneTransformer:
    """A trained network and how it reads counts.

    Attributes
    ----------
    module
        float32, in evaluation mode, gradients off.
    scale
        Its genes and how their counts become bins.
    """

    module: GeneTransformer
    scale: GeneScale

    def untrained(self, *, seed: int = 0) -> "TrainedGeneTransformer":
        """Return the same network with the weights that training starts from, and the same scale.

        Parameters
        ----------
        seed
            Of the weights.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = GeneTransformer(self.module.shape)
        return TrainedGeneTransformer(module.eval().requires_grad_(False), self.scale)

    def embed(self, adata: AnnData, *, device: Device = "auto", batch_size: int = 64) -> NDArray[np.float32]:
        """Embed the spots of a data set of raw counts.

        Any human data set whose ``var_names`` are symbols of enough of the genes; mouse genes are taken as the human
        genes of the same letters, and a warning says so.

        Parameters
        ----------
        adata
            Raw counts in ``X`` (spot, gene), or in ``layers["counts"]`` where there is one.
        device
            Where to run.
        batch_size
            Spots at a time.

        Returns
        -------
        NDArray[np.float32]
            (spot, feature).

        Raises
        ------
        InputError
            If too few of its genes are measured, or the numbers are no counts.
        """
        positions, values, note = self.scale.bins(adata)
        if note:
            _log.warning("%s: %s", NAME, note)
        bins, genes, target = torch.from_numpy(values), torch.from_numpy(positions), resolve_device(device)
        module = self.module.to(target)
        with torch.inference_mode():
            parts = [
                module(genes.expand(len(part), -1).to(target), part.long().to(target)).float().cpu().numpy()
                for part in bins.split(batch_size)
            ]
        return np.concatenate(parts) if parts else np.empty((0, module.shape.dimension), np.float32)


def load_gene_transformer(weights: Path) -> TrainedGeneTransformer:
    """Read trained weights; the sizes of the network are read from them.

    Parameters
    ----------
    weights
        The safetensors file that training wrote.

    Raises
    ------
    InputError
        If the file cannot be read or is not one of this network.
    """
    try:
        with safe_open(weights, framework="pt") as opened:
            about = json.loads((opened.metadata() or {}).get("about", "{}"))
            state = {name: opened.get_tensor(name).float() for name in opened.keys()}  # noqa: SIM118 not a mapping
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        msg = f"The weights file {weights} cannot be read as safetensors ({error}); train or fetch it again."
        raise InputError(msg) from error
    try:
        scale = GeneScale(
            genes=tuple(about["genes"]),
            **{key: state.pop(f"scale.{key}").numpy() for key in ("mean", "sd", "edges")},
        )
        (genes, dimension), bins = state["gene.weight"].shape, len(state["value.weight"])
        depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
        module = GeneTransformer(GeneTransformerShape(genes, bins, dimension, depth, about["heads"]))
        module.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        first = " ".join(str(error).split())[:200]
        msg = f"The weights in {weights} are not those of {NAME} ({first}); give a file trained as it."
        raise InputError(msg) from error
    return TrainedGeneTransformer(module.eval().requires_grad_(False), scale)
