"""Builds a network at a width, and finds the width that a budget of parameters pays for."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import torch

from beyond_alignment.errors import InputError
from beyond_alignment.fusion.network import FusionNetwork, Shape
from beyond_alignment.fusion.training import n_trained

WIDEST = 4096
_FOUND: dict[Hashable, int] = {}


def build(
    network: type[FusionNetwork], shape: Shape, *, width: int, seed: int, options: Mapping[str, Any]
) -> FusionNetwork:
    """Return an untrained network whose first weights depend on the seed alone.

    Raises
    ------
    InputError
        If the network does not take the options.
    """
    make: Callable[..., FusionNetwork] = network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return make(shape, width=width, **options)
        except (TypeError, ValueError) as error:
            msg = f"{network.__name__} cannot be built with width {width} and {dict(options)}: {error}"
            raise InputError(msg) from error


def size_at(network: type[FusionNetwork], shape: Shape, *, width: int, options: Mapping[str, Any]) -> int:
    """Return the number of trained parameters at a width, heads of the training objective included."""
    with torch.device("meta"):
        return n_trained(build(network, shape, width=width, seed=0, options=options))


def widest(network: type[FusionNetwork], shape: Shape, *, budget: int, options: Mapping[str, Any]) -> int:
    """Return the largest width whose trained parameters stay within a budget, by bisection.

    Raises
    ------
    InputError
        If the narrowest network is beyond it.
    """
    key = network, shape, budget, repr(sorted(options.items()))
    if key in _FOUND:
        return _FOUND[key]

    def size(width: int) -> int:
        return size_at(network, shape, width=width, options=options)

    low, high = 1, WIDEST
    if size(low) > budget:
        msg = f"{network.__name__} needs {size(low)} parameters at least and the budget is {budget}: raise it."
        raise InputError(msg)
    if size(high) <= budget:
        low = high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) <= budget else (low, middle)
    _FOUND[key] = low
    return low
