"""``gene_transformer`` in stages; of its last block only the row is computed that is read."""

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor, nn

from beyond_alignment.experts.finetuning.stages import Stages
from beyond_alignment.experts.gene_transformer import NAME, Block, TrainedGeneTransformer


class GeneStages(Stages):
    """The network over the genes that a data set measures; it reads uint8 bins (spot, token)."""

    name = NAME
    genes: Tensor

    def __init__(self, trained: TrainedGeneTransformer, positions: NDArray[np.int64]) -> None:
        super().__init__()
        self.network = trained.module
        self.register_buffer("genes", torch.from_numpy(positions), persistent=False)

    @property
    def blocks(self) -> list[nn.Module]:
        """The transformer's blocks."""
        return list(self.network.blocks)

    @property
    def norms(self) -> list[nn.Module]:
        """The norm of the CLS token."""
        return [self.network.norm]

    def stem(self, raw: Tensor) -> Tensor:
        """Return the CLS token and the tokens of the genes (spot, 1 + token, feature)."""
        tokens = self.network.gene(self.genes.expand(len(raw), -1)) + self.network.value(raw.long())
        return torch.cat([self.network.cls.expand(len(tokens), -1, -1), tokens], dim=1)

    def leave(self, tokens: Tensor, n_blocks: int) -> Tensor:
        """Return the embedding (spot, feature) of tokens that enter the last ``n_blocks`` blocks."""
        *earlier, last = self.blocks[len(self.blocks) - n_blocks :]
        for block in earlier:
            tokens = block(tokens)
        return self.end(_first_row(last, tokens))

    def end(self, tokens: Tensor) -> Tensor:
        """Return the normalised CLS token (spot, feature)."""
        return self.network.norm(tokens[:, 0])


def _first_row(block: nn.Module, tokens: Tensor) -> Tensor:
    """Return what a block makes of the first token (spot, 1, feature): the others are only looked at.

    With one query no token needs a key or a value of its own. A query times a key is the query taken through the
    weights of keys, times the token; the bias of keys adds the same to all tokens and cancels; and a mixture of values
    is the value of the mixture. So 2 t d numbers a head are multiplied in place of 3 t d d for t tokens of d features.
    """
    assert isinstance(block, Block)
    n, _, d = tokens.shape
    seen = block.norm1(tokens)
    query_weight, key_weight, value_weight = block.qkv.weight.view(3, block.heads, d // block.heads, d)
    query_bias, _, value_bias = block.qkv.bias.view(3, block.heads, d // block.heads)
    query = torch.einsum("nd,hed->nhe", seen[:, 0], query_weight) + query_bias
    asked = torch.einsum("nhe,hed->nhd", query, key_weight) * (d // block.heads) ** -0.5  # (spot, head, feature)
    shares = (asked @ seen.transpose(1, 2)).softmax(dim=-1)  # (spot, head, token)
    mixed = torch.einsum("nhd,hed->nhe", shares @ seen, value_weight) + value_bias
    row = tokens[:, :1] + block.out(mixed.reshape(n, 1, d))  # heads side by side
    return row + block.mlp(block.norm2(row))


def gene_stages(trained: TrainedGeneTransformer, adata: AnnData) -> tuple[GeneStages, NDArray[np.uint8]]:
    """Return the network over the genes of a data set, and its spots as that reads them."""
    positions, bins, _ = trained.scale.bins(adata)
    return GeneStages(trained, positions), bins
