"""Mixtures of redundant, unique and synergistic trials, in any proportion."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.information.known_truth.scenario import MILD, Role, Scenario, symbols
from beyond_alignment.information.known_truth.tables import with_label_noise

ROUNDING = 1e-12


def _rules() -> dict[str, NDArray[np.float64]]:
    """Joint table of the two private bits and the label under each rule."""
    same, free, one_hot = np.eye(2) / 2, np.full((2, 2), 1 / 4), np.eye(2)
    total = np.add.outer(np.arange(2), np.arange(2)) % 2
    return {
        "redundancy": np.einsum("ij,iy->ijy", same, one_hot),
        "unique1": np.einsum("ij,iy->ijy", free, one_hot),
        "unique2": np.einsum("ij,jy->ijy", free, one_hot),
        "synergy": free[:, :, None] * one_hot[total],
        "nothing": np.repeat(free[:, :, None] / 2, 2, axis=2),
    }


def mixture(
    redundancy: float,
    unique1: float,
    unique2: float,
    synergy: float,
    *,
    rule_in_label: bool = False,
    error: float = 0.0,
    name: str = "mixture",
    title: str = "A mixture of rules",
    role: Role = "tuning",
    **observed: Any,
) -> Scenario:
    """Dial the shares of trials in which the label follows each rule.

    Both sources hold a switch, which says the trial's rule, and a bit of their own. The label is the bit common to both
    (redundancy), that of the first or of the second (unique), or their exclusive or (synergy). In the trials that are
    left the label is a coin. With `rule_in_label` the class also says the rule: the decomposition then has the dialled
    fractions as unique information and synergy, in bits, and the redundant fraction plus the entropy of the switch as
    redundancy. Without, one source's unique trials make up
    for the other's, and `min(unique1, unique2)` is moved from unique information to redundancy and synergy.

    Parameters
    ----------
    redundancy, unique1, unique2, synergy
        Shares of the trials, with a sum of 1 at most.
    rule_in_label
        Whether the class tells the rule as well (two classes a rule in use).
    error
        Probability that the label is another class than the rule says.
    name, title, role
        As in `Scenario`.
    **observed
        Further fields of `Scenario`; `n_nuisance` and `sweep` are those of `MILD` unless given.

    Returns
    -------
    The scenario.

    Raises
    ------
    InputError
        A share is negative or the shares exceed 1.
    """
    shares = {"redundancy": redundancy, "unique1": unique1, "unique2": unique2, "synergy": synergy}
    total = sum(shares.values())
    if not np.isfinite(total) or min(shares.values()) < 0 or total > 1 + ROUNDING:
        raise InputError(
            f"The shares of the mixture are {tuple(shares.values())}; pass shares with a sum of at most 1."
        )
    shares["nothing"] = max(1 - total, 0.0)
    used = {rule: share for rule, share in shares.items() if share > ROUNDING}
    tables, n_rules = _rules(), len(used)
    blocks = np.zeros((n_rules, 2, n_rules, 2, n_rules, 2))
    for position, (rule, share) in enumerate(used.items()):
        blocks[position, :, position, :, position if rule_in_label else 0] = share * tables[rule]
    p = blocks.reshape(2 * n_rules, 2 * n_rules, -1)
    p = p[:, :, p.sum(axis=(0, 1)) > 0]
    held = symbols(n_rules, 2) if n_rules > 1 else symbols(2)
    return Scenario(
        name=name,
        title=title,
        role=role,
        p=with_label_noise(p / p.sum(), error) if error else p / p.sum(),
        first=held,
        second=held,
        **{**MILD, **observed},
    )
