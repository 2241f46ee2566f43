"""How an expert is fine-tuned."""

from dataclasses import dataclass
from typing import Literal, get_args

from beyond_alignment.errors import InputError

Kind = Literal["classification", "regression"]
Way = Literal["last_blocks", "lora"]
Kept = Literal["float32", "float16", "none"]

RATES: dict[Way, tuple[float, ...]] = {"last_blocks": (3e-5, 3e-4), "lora": (3e-4, 3e-3)}


@dataclass(frozen=True, kw_only=True)
class FinetuneSettings:
    """What is trained, and how.

    Attributes
    ----------
    way
        ``last_blocks`` trains the last blocks and the norm after them; ``lora`` trains low-rank updates of the linear
        layers of the last blocks (Hu et al. 2022) and leaves every published weight as it is.
    n_blocks
        How many of the last blocks are trained, or get updates; all where it is the depth of the network.
    rank, alpha
        Rank r of an update, which counts alpha / r times.
    mlp
        Whether the perceptrons of the blocks get updates too, not the attention alone.
    learning_rates
        Highest rates of the schedule that are compared on the inner split; those of ``RATES`` when None.
    epochs
        Passes over the training spots at most: what the schedule is laid out for.
    patience
        A run stops when this many epochs brought nothing better on the inner split.
    batch_size
        Spots an update; all of them where there are fewer.
    weight_decay
        Decoupled decay of AdamW, on matrices alone.
    warmup
        Share of the updates over which the rate rises.
    inner_folds
        Inner splits by group that the choices are averaged over, 1 to 3.
    kept
        In which numbers the activations that enter the first trained block are kept in memory; with ``none`` the frozen
        part is run anew for every batch.
    views
        Of an image, how many of the 8 turned and mirrored views are trained on, each kept in memory; 1 is the image as
        it is. The image is augmented in no other way.
    seed
        Of the first low-rank factors, of the order of the spots and of their views.
    """

    way: Way = "last_blocks"
    n_blocks: int = 2
    rank: int = 8
    alpha: float = 16.0
    mlp: bool = False
    learning_rates: tuple[float, ...] | None = None
    epochs: int = 20
    patience: int = 4
    batch_size: int = 64
    weight_decay: float = 0.05
    warmup: float = 0.1
    inner_folds: int = 1
    kept: Kept = "float32"
    views: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.way not in get_args(Way) or self.kept not in get_args(Kept):
            msg = (
                f"A fine-tuning by {self.way!r} with activations kept as {self.kept!r} is unknown: choose "
                f"{' or '.join(get_args(Way))}, and {', '.join(get_args(Kept))}."
            )
            raise InputError(msg)
        counts = (self.n_blocks, self.rank, self.epochs, self.patience, self.batch_size, self.inner_folds, self.views)
        if min(counts) < 1 or self.inner_folds > 3 or not all(rate > 0 for rate in self.rates) or not self.rates:
            msg = (
                "Blocks, rank, epochs, patience, batch, inner folds (3 at most) and views must be 1 or more, and "
                f"learning rates positive; found {self}."
            )
            raise InputError(msg)

    @property
    def rates(self) -> tuple[float, ...]:
        """Learning rates that are compared."""
        return RATES[self.way] if self.learning_rates is None else self.learning_rates
