"""How an expert is fine-tuned."""

from dataclasses import dataclass
from typing import Literal, get_args

from beyond_alignment.errors import InputError

Kind = Literal["classification", "regression"]
Way = Literal["last_blocks", "lora"]

RATES: dict[Way, tuple[float, ...]] = {"last_blocks": (3e-5, 3e-4), "lora": (3e-4, 3e-3)}


@dataclass(frozen=True, kw_only=True)
class FinetuneSettings:
    """What is trained, and how.

    Attributes
    ----------
    way
        ``last_blocks`` trains the last blocks and the norm after them; ``lora`` trains low-rank updates of the linear
        layers of their attention (Hu et al. 2022) and leaves every published weight as it is.
    n_blocks
        How many of the last blocks are trained, or get updates; all where it is the depth of the network.
    rank, alpha
        Rank r of an update, which counts alpha / r times.
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
    seed
        Of the first low-rank factors and of the order of the spots.
    """

    way: Way = "last_blocks"
    n_blocks: int = 2
    rank: int = 8
    alpha: float = 16.0
    learning_rates: tuple[float, ...] | None = None
    epochs: int = 20
    patience: int = 4
    batch_size: int = 64
    weight_decay: float = 0.05
    warmup: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.way not in get_args(Way):
            raise InputError(f"A fine-tuning by {self.way!r} is unknown: choose {' or '.join(get_args(Way))}.")
        counts = (self.n_blocks, self.rank, self.epochs, self.patience, self.batch_size)
        if min(counts) < 1 or not all(rate > 0 for rate in self.rates) or not self.rates:
            msg = (
                "Blocks, rank, epochs, patience and batch must be 1 or more, and learning rates positive; "
                f"found {self}."
            )
            raise InputError(msg)

    @property
    def rates(self) -> tuple[float, ...]:
        """Learning rates that are compared."""
        return RATES[self.way] if self.learning_rates is None else self.learning_rates
