"""The small network that embeds the transcripts of a tile, or of each of its patches."""

from typing import Literal

from torch import Tensor, nn

Granularity = Literal["tile", "token"]
WIDTH = 32
DROPOUT = 0.1


class ExpressionEncoder(nn.Module):
    """Two hidden layers of 32 units over log1p counts, one network for all patches.

    The sizes are those of the public code of Martinelli et al.; their linear projection from 32 features to the width
    of the vision transformer is one with the last layer here.

    Parameters
    ----------
    n_genes
        Core genes.
    width
        Features of an embedding: 32 where expression stands alone, else those of the vision network.
    hidden
        Units of a hidden layer.
    dropout
        Share of the hidden units that are dropped in training.
    """

    def __init__(self, n_genes: int, *, width: int = WIDTH, hidden: int = WIDTH, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.Sequential(
            nn.Linear(n_genes, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, width),
        )

    def forward(self, log_counts: Tensor) -> Tensor:
        """Embed log1p counts, (tile, gene) or (tile, patch, gene), as (tile, feature) or (tile, patch, feature)."""
        return self.layers(log_counts)


def pool_tokens(embedding: Tensor) -> Tensor:
    """Average embeddings of patches (tile, patch, feature) to (tile, feature); those of tiles stay as they are."""
    return embedding.mean(dim=1) if embedding.ndim == 3 else embedding
