"""Every arm of the comparison under its name: what it reads, where both modalities meet, and what is trained."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.expression_encoders import Granularity

VIT = "vit"

Stage = Literal["early", "late"]
How = Literal["add", "concat", "gated", "cross_attention"]
EARLY: tuple[How, ...] = ("add", "concat", "gated", "cross_attention")
LATE: tuple[How, ...] = ("add", "concat")
GRANULARITIES: tuple[Granularity, ...] = ("tile", "token")


@dataclass(frozen=True, kw_only=True)
class Arm:
    """What one arm reads and how it fuses.

    Another morphology expert in the place of the plan's vision transformer is
    ``replace(get_arm("late_add_token_frozen"), name="with_phikon", vision="phikon")``.

    Attributes
    ----------
    name
        Key in ``ARMS``.
    label
        For figures and tables.
    vision
        ``vit`` for the vision transformer that the plan names, a morphology expert, or None.
    granularity
        Whether expression is one vector a ``tile`` or a ``token`` for each patch; None without expression.
    stage
        Whether both meet before (``early``) or after (``late``) the vision transformer; None with one modality.
    how
        Operation of the fusion; None with one modality.
    trained
        Whether the vision network is trained; it is frozen otherwise.
    """

    name: str
    label: str
    vision: str | None = None
    granularity: Granularity | None = None
    stage: Stage | None = None
    how: How | None = None
    trained: bool = False

    @property
    def cached(self) -> bool:
        """Whether its vision network is frozen and reads images alone, so that one pass over the tiles is enough."""
        return self.vision is not None and not self.trained and self.stage != "early"

    @property
    def light(self) -> bool:
        """Whether images do not pass through the vision network in each step, which is what costs."""
        return self.vision is None or self.cached


def _arms() -> list[Arm]:
    """Return expression and morphology alone, and late and early fusion with a frozen and a trained network."""
    arms = [Arm(name=f"expression_{g}", label=f"Expression, {g}", granularity=g) for g in GRANULARITIES]
    for state in ("frozen", "trained"):
        bare = Arm(name=f"morphology_{state}", label=f"Morphology, {state}", vision=VIT, trained=state == "trained")
        late = [
            replace(bare, name=f"late_{how}_{g}_{state}", label=f"Late {how}, {g}, {state}",
                    granularity=g, stage="late", how=how)
            for how, g in product(LATE, GRANULARITIES)
        ]  # fmt: skip
        early = [
            replace(bare, name=f"early_{how}_{state}", label=f"Early {how.replace('_', '-')}, {state}",
                    granularity="token", stage="early", how=how)
            for how in EARLY
        ]  # fmt: skip
        arms += [bare, *late, *early]
    return arms


ARMS: dict[str, Arm] = {arm.name: arm for arm in _arms()}


def get_arm(arm: str | Arm) -> Arm:
    """Return an arm by its name, or one of your own as it is.

    Raises
    ------
    InputError
        If there is no arm of that name.
    """
    if isinstance(arm, Arm):
        return arm
    if arm not in ARMS:
        raise InputError(f"There is no arm {arm!r}: choose among {', '.join(ARMS)}.")
    return ARMS[arm]
