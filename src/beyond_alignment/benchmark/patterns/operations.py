"""What one spot costs a fusion network, by the number of tokens that a modality is cut into."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from beyond_alignment.benchmark.neighbour_rows import N_NEIGHBOURS
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import make_fusion
from beyond_alignment.fusion.network import Batch, FusionNetwork, Shape
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.registry import Size
from beyond_alignment.fusion.width import build, widest

USUAL_TOKENS = 4
COMPONENTS, N_CLASSES = (50, 50), 6
COLUMNS = ("method", "tokens", "operations")


def pattern_operations(
    methods: Sequence[str],
    *,
    tokens: Sequence[int] = (USUAL_TOKENS,),
    size: Size = "common",
) -> pd.DataFrame:
    """Count the floating-point operations of representing one spot.

    Networks have the width that the common budget pays for at the usual four tokens a modality, or that of their paper,
    and keep it for other numbers of tokens, so that what grows is the reading and not the width. Matrix products are
    counted, two operations for a multiplication and addition; nothing is computed or allocated. Embeddings have 50
    components, the task six classes.

    Parameters
    ----------
    methods
        Names of fusion methods that are networks.
    tokens
        Tokens a modality.
    size
        ``common`` or ``published``.

    Returns
    -------
    pandas.DataFrame
        One row a method and number of tokens: method, tokens, operations.

    Raises
    ------
    InputError
        If a method is unknown, no network, or reads no tokens where another number of them is asked for.
    """
    rows = []
    for name in methods:
        estimator = make_fusion(name, size=size)
        if not isinstance(estimator, NeuralFusion):
            raise InputError(f"{name} is no network, so that its operations are those of its probe: leave it out.")
        shape = Shape(*COMPONENTS, N_CLASSES, "classification", estimator.dimension)
        options = dict(estimator.options or {})
        width = estimator.width or widest(estimator.network, shape, budget=estimator.budget, options=options)
        near = N_NEIGHBOURS if estimator.reads_neighbours else 0
        for count in tokens:
            cut = options if count == USUAL_TOKENS else options | {"tokens": count}
            with torch.device("meta"):
                network = build(estimator.network, shape, width=width, seed=0, options=cut)
                rows.append((name, count, _counted(network, shape, near)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def growth_with_tokens(operations: pd.DataFrame) -> pd.Series:
    """Return by method the power of the number of tokens with which operations grow, between the two largest numbers.

    Parameters
    ----------
    operations
        From :func:`pattern_operations`, with two numbers of tokens or more.
    """
    largest = sorted(operations["tokens"].unique())[-2:]
    wide = operations.pivot_table(index="method", columns="tokens", values="operations", sort=False)
    return np.log(wide[largest[1]] / wide[largest[0]]) / np.log(largest[1] / largest[0])


def _counted(network: FusionNetwork, shape: Shape, near: int) -> int:
    """Return the operations of one spot."""
    batch = Batch(
        x1=torch.zeros(1, shape.d1),
        x2=torch.zeros(1, shape.d2),
        y=torch.zeros(1, dtype=torch.int64),
        near1=torch.zeros(1, near, shape.d1),
        near2=torch.zeros(1, near, shape.d2),
        near=torch.ones(1, near),
        noise={},
    )
    network.requires_grad_(requires_grad=False)
    with FlopCounterMode(display=False) as counter:
        network(batch)
    return int(counter.get_total_flops())
