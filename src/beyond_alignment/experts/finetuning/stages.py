"""A network in stages, so that its last blocks can be trained while the rest is run once."""

import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from beyond_alignment.errors import InputError
from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.torchvision_operators import import_timm


class Stages(nn.Module, ABC):
    """Raw input becomes tokens, passes blocks, and is read out as an embedding."""

    name: str

    @property
    @abstractmethod
    def blocks(self) -> list[nn.Module]:
        """The blocks, in the order in which tokens pass them."""

    @property
    @abstractmethod
    def norms(self) -> list[nn.Module]:
        """What stands between the last block and the embedding and has weights."""

    @abstractmethod
    def stem(self, raw: Tensor) -> Tensor:
        """Return tokens (spot, ...) of raw spots (spot, ...)."""

    @abstractmethod
    def end(self, tokens: Tensor) -> Tensor:
        """Return the embedding (spot, feature) of the tokens that leave the last block."""

    def enter(self, raw: Tensor, n_blocks: int) -> Tensor:
        """Return the tokens that enter the last ``n_blocks`` blocks."""
        tokens = self.stem(raw)
        for block in self.blocks[: len(self.blocks) - n_blocks]:
            tokens = block(tokens)
        return tokens

    def leave(self, tokens: Tensor, n_blocks: int) -> Tensor:
        """Return the embedding (spot, feature) of tokens that enter the last ``n_blocks`` blocks."""
        for block in self.blocks[len(self.blocks) - n_blocks :]:
            tokens = block(tokens)
        return self.end(tokens)

    def forward(self, raw: Tensor) -> Tensor:
        """Embed raw spots: (spot, feature)."""
        return self.leave(self.enter(raw, 1), 1)


class VitStages(Stages):
    """A vision transformer of timm, which reads uint8 patches (spot, height, width, channel).

    Parameters
    ----------
    model
        From ``load_morphology`` or ``starting_weights``; its network is shared, not copied.

    Raises
    ------
    InputError
        If it is no vision transformer of timm, or lacks its record.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, model: FrozenModel) -> None:
        super().__init__()
        import_timm()
        from timm.models.vision_transformer import VisionTransformer

        if not isinstance(model.module, VisionTransformer):
            msg = (
                f"The blocks of {model.expert.name} ({type(model.module).__name__}) are not known: fine-tune a vision "
                "transformer of timm, such as tissue_vit, or take the surrogate over its embedding."
            )
            raise InputError(msg)
        self.name = model.expert.name
        self.network = model.module
        for colour in ("mean", "sd"):
            value = torch.tensor(getattr(model.expert, colour)).view(1, 3, 1, 1) * 255
            self.register_buffer(colour, value, persistent=False)

    def __reduce__(self) -> tuple[Callable[..., "VitStages"], tuple[type["VitStages"], bytes]]:
        """Pickle what it holds apart, so that another process imports timm in the way that works there first."""
        return _restored, (type(self), pickle.dumps(self.__dict__))

    @property
    def blocks(self) -> list[nn.Module]:
        """The transformer's blocks."""
        return list(self.network.blocks)

    @property
    def norms(self) -> list[nn.Module]:
        """The norm before or after pooling."""
        return [self.network.norm, self.network.fc_norm]

    def stem(self, raw: Tensor) -> Tensor:
        """Return tokens (spot, token, feature) of uint8 patches (spot, height, width, channel)."""
        images = (raw.permute(0, 3, 1, 2).float() - self.mean) / self.sd
        tokens = self.network._pos_embed(self.network.patch_embed(images))
        return self.network.norm_pre(self.network.patch_drop(tokens))

    def end(self, tokens: Tensor) -> Tensor:
        """Return the pooled, normalised tokens (spot, feature)."""
        return self.network.forward_head(self.network.norm(tokens), pre_logits=True)


def _restored(kind: type[VitStages], state: bytes) -> VitStages:
    """Return a pickled vision transformer."""
    import_timm()
    stages = kind.__new__(kind)
    held: dict[str, Any] = pickle.loads(state)
    stages.__dict__.update(held)
    return stages
