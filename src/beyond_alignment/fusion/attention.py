"""Attention between tokens, written with matrix products so that many networks run side by side."""

import math

import torch
from torch import Tensor, nn

FORBIDDEN = -1e9
"""Score of a key that must not be read: its weight is exactly 0 in single precision beside a key that may be."""


class Tokens(nn.Module):
    """Learned tokens of an embedding: linear maps of the whole embedding, whose biases tell the tokens apart.

    A frozen embedding is one vector; a token is a direction of it that is learned, in the place of a word or a patch.

    Parameters
    ----------
    d
        Features of the embedding.
    count
        Tokens.
    size
        Features of a token.
    """

    def __init__(self, d: int, count: int, size: int) -> None:
        super().__init__()
        self.count = count
        self.size = size
        self.map = nn.Linear(d, count * size)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., token, size) of embeddings (..., feature)."""
        return self.map(x).unflatten(-1, (self.count, self.size))


class Attention(nn.Module):
    """Attention of several heads (Vaswani et al., 2017); queries, keys and values have no bias.

    A bias of the keys would have no effect, since the weights do not change when every score does by the same amount.

    Parameters
    ----------
    width
        Features of a head.
    heads
        Heads; a token has ``heads * width`` features.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        size = width * heads
        self.heads = heads
        self.width = width
        self.query = nn.Linear(size, size, bias=False)
        self.key = nn.Linear(size, size, bias=False)
        self.value = nn.Linear(size, size, bias=False)
        self.out = nn.Linear(size, size)

    def forward(self, to: Tensor, of: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Return what each token reads.

        Parameters
        ----------
        to
            Tokens that read (..., query, size).
        of
            Tokens that are read (..., key, size).
        allowed
            1 where a token may be read, 0 where not (..., key); at least one of them may be.
        """
        query = self._split(self.query(to) / math.sqrt(self.width))
        if to.shape[-2] == 1:
            return self.out(self._join(self._one(query, of, allowed)))
        scores = self._split(self.key(of)) @ query.transpose(-1, -2)
        weights = self._weights(scores, None if allowed is None else allowed[..., None, :, None])
        return self.out(self._join(weights.transpose(-1, -2) @ self._split(self.value(of))))

    def _one(self, query: Tensor, of: Tensor, allowed: Tensor | None) -> Tensor:
        """Return what one query (..., head, 1, width) reads, in that shape.

        The maps of keys and values act on the query and on what is read, one token each, instead of on every token.
        """
        key, value = (part.weight.unflatten(0, (self.heads, self.width)) for part in (self.key, self.value))
        sought = torch.einsum("...hw,hws->...hs", query.squeeze(-2), key)
        scores = of @ sought.transpose(-1, -2)
        weights = self._weights(scores, None if allowed is None else allowed[..., None])
        return torch.einsum("...hs,hws->...hw", weights.transpose(-1, -2) @ of, value).unsqueeze(-2)

    def _weights(self, scores: Tensor, allowed: Tensor | None) -> Tensor:
        """Return the weights of scores whose last axis but one is the key; a softmax over a short last axis is slow."""
        if allowed is not None:
            scores = torch.where(allowed > 0, scores, FORBIDDEN)
        return scores.softmax(dim=-2)

    def _split(self, tokens: Tensor) -> Tensor:
        """Return (..., head, token, width) of (..., token, size)."""
        return tokens.unflatten(-1, (self.heads, self.width)).transpose(-2, -3)

    def _join(self, read: Tensor) -> Tensor:
        """Return (..., token, size) of (..., head, token, width)."""
        return read.transpose(-2, -3).flatten(-2)


def feedforward(size: int, expansion: int) -> nn.Sequential:
    """Return an unfitted network that changes each token alone, after normalising it."""
    hidden = expansion * size
    return nn.Sequential(nn.LayerNorm(size), nn.Linear(size, hidden), nn.GELU(), nn.Linear(hidden, size))


def read_out(size: int, dimension: int) -> nn.Sequential:
    """Return an unfitted linear map of what is read out, normalised, to a representation of ``dimension`` features."""
    return nn.Sequential(nn.LayerNorm(size), nn.Linear(size, dimension))


class Layer(nn.Module):
    """A transformer layer: tokens read tokens, then each is changed alone; normalised before both.

    Parameters
    ----------
    width
        Features of a head.
    heads
        Heads.
    expansion
        Hidden units of the second step for each feature of a token.
    """

    def __init__(self, width: int, heads: int, *, expansion: int = 2) -> None:
        super().__init__()
        size = width * heads
        self.norm = nn.LayerNorm(size)
        self.attention = Attention(width, heads)
        self.alone = feedforward(size, expansion)

    def forward(self, to: Tensor, of: Tensor | None = None, allowed: Tensor | None = None) -> Tensor:
        """Return the tokens ``to`` (..., query, size) after they read ``of`` (..., key, size), or each other."""
        reading = self.norm(to)
        to = to + self.attention(reading, reading if of is None else self.norm(of), allowed)
        return to + self.alone(to)
