"""Minibatches of tiles: transcripts stay sparse and images bytes until a batch is on the device."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from beyond_alignment.tokens.expression_encoders import Granularity
from beyond_alignment.tokens.network import TileBatch
from beyond_alignment.tokens.pooling import sum_patches
from beyond_alignment.tokens.tiles import Tiles


class TileBatches:
    """Hands out tiles as a network reads them.

    Parameters
    ----------
    tiles
        The tiles.
    device
        Where a batch goes.
    images
        Whether images are read.
    granularity
        Whether counts are read by tile, by patch, or not at all.
    image_embedding
        Of a frozen vision network (tile, feature).
    """

    def __init__(
        self,
        tiles: Tiles,
        *,
        device: torch.device,
        images: bool = False,
        granularity: Granularity | None = None,
        image_embedding: NDArray[np.float32] | None = None,
    ) -> None:
        self.device, self.by_patch = device, granularity == "token"
        self.n_patches = tiles.n_patches if self.by_patch else 1
        self.pixels = tiles.pixels if images else None
        self.image_embedding: Tensor | None = None
        if image_embedding is not None:
            self.image_embedding = torch.from_numpy(np.array(image_embedding, dtype=np.float32)).to(device)
        self.log_counts: sparse.csr_matrix | None = None
        if granularity is not None:
            counts = tiles.core if granularity == "token" else sum_patches(tiles.core, tiles.n_patches)
            self.log_counts = counts.astype(np.float32).log1p().tocsr()
            self.log_counts.sum_duplicates()

    def of(self, rows: Tensor) -> TileBatch:
        """Return some tiles (tile,) as a batch on the device."""
        chosen = rows.numpy()
        return TileBatch(
            images=None if self.pixels is None else self._send(torch.from_numpy(np.asarray(self.pixels[chosen]))),
            image_embedding=None if self.image_embedding is None else self.image_embedding[rows.to(self.device)],
            expression=self._expression(chosen),
        )

    def _expression(self, chosen: NDArray[np.int64]) -> Tensor | None:
        """Return log1p counts, (tile, gene) or (tile, patch, gene)."""
        if self.log_counts is None:
            return None
        patches = (chosen[:, None] * self.n_patches + np.arange(self.n_patches)).ravel()  # (tile * patch,)
        part, n_genes = self.log_counts[patches], self.log_counts.shape[1]
        if self.device.type == "cpu":
            dense = torch.from_numpy(part.toarray())
        else:  # only what is not 0 crosses over
            at = np.repeat(np.arange(len(patches), dtype=np.int64), np.diff(part.indptr)) * n_genes + part.indices
            dense = torch.zeros(len(patches) * n_genes, device=self.device)
            dense[self._send(torch.from_numpy(at))] = self._send(torch.from_numpy(part.data))
        shape = (len(chosen), self.n_patches, n_genes) if self.by_patch else (len(chosen), n_genes)
        return dense.view(shape)

    def _send(self, values: Tensor) -> Tensor:
        """Copy to the device without waiting for it."""
        if self.device.type == "cpu":
            return values
        return values.pin_memory().to(self.device, non_blocking=True)
