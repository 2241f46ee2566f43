"""The learning rate over a training, in units of its highest: one schedule for experts and for fusion methods."""

import math

WARM_UP = 0.05


def warm_cosine(step: int, steps: int, *, warmup: float = WARM_UP) -> float:
    """Return the factor on the highest learning rate: a straight rise over the warm-up, then half a cosine towards 0.

    Parameters
    ----------
    step
        Number of the step, from 0 to ``steps`` - 1.
    steps
        Steps of the whole training.
    warmup
        Share of all steps over which the rate rises, one step at least.
    """
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1.0 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))
