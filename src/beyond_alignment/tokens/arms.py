"""Every arm of the comparison, as a frozen configuration under its name."""

from dataclasses import dataclass
from itertools import product
from typing import Literal

from beyond_alignment.errors import InputError
from beyond_alignment.tokens.expression_encoders import Granularity

VIT = "vit"
VISION_EXPERTS = {"phikon": "Phikon", "conch": "CONCH", "loki": "Loki", "uni": "UNI"}
GENEFORMER = "geneformer"

Stage = Literal["early", "late"]
How = Literal["add", "concat", "gated", "cross_attention"]
EARLY: tuple[How, ...] = ("add", "concat", "gated", "cross_attention")
LATE: tuple[How, ...] = ("add", "concat")
GRANULARITIES: tuple[Granularity, ...] = ("tile", "token")


@dataclass(frozen=True, kw_only=True)
class Arm:
    """What one arm reads and how it fuses.

    Attributes
    ----------
    name
        Key in ``ARMS``.
    label
        For figures and tables.
    vision
        ``vit`` for the vision transformer that the plan names, a morphology expert, or None.
    expression
        ``mlp`` for the small network, ``geneformer`` for the frozen one, or None.
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
    expression: str | None = None
    granularity: Granularity | None = None
    stage: Stage | None = None
    how: How | None = None
    trained: bool = False

    @property
    def cached(self) -> bool:
        """Whether its vision network is frozen and reads images alone, so that one pass over the tiles is enough."""
        return self.vision is not None and not self.trained and self.stage != "early"


def _words(*parts: str | None) -> str:
    """Join what is there."""
    return ", ".join(part for part in parts if part)


def _of_vision(vision: str) -> list[Arm]:
    """Return the arms of one vision network: alone, late and early fusion, frozen and trained."""
    whose = "" if vision == VIT else f"_{vision}"
    label = VISION_EXPERTS.get(vision)
    arms = []
    for trained in (False, True):
        state = "trained" if trained else "frozen"
        arms.append(
            Arm(
                name=f"morphology_{state}{whose}",
                label=_words("Morphology", state, label),
                vision=vision,
                trained=trained,
            )
        )
        for how, granularity in product(LATE, GRANULARITIES):
            arms.append(
                Arm(
                    name=f"late_{how}_{granularity}_{state}{whose}",
                    label=_words(f"Late {how}", granularity, state, label),
                    vision=vision,
                    expression="mlp",
                    granularity=granularity,
                    stage="late",
                    how=how,
                    trained=trained,
                )
            )
        for how in EARLY:
            arms.append(
                Arm(
                    name=f"early_{how}_{state}{whose}",
                    label=_words(f"Early {how.replace('_', '-')}", state, label),
                    vision=vision,
                    expression="mlp",
                    granularity="token",
                    stage="early",
                    how=how,
                    trained=trained,
                )
            )
    return arms


def _of_expression() -> list[Arm]:
    """Return the arms without morphology."""
    own = [
        Arm(name=f"expression_{g}", label=_words("Expression", g), expression="mlp", granularity=g)
        for g in GRANULARITIES
    ]
    frozen = Arm(
        name="expression_geneformer", label="Expression, Geneformer", expression=GENEFORMER, granularity="tile"
    )
    return [*own, frozen]


def _of_geneformer(vision: str) -> list[Arm]:
    """Return late fusion of the frozen Geneformer with a frozen vision network."""
    whose = "" if vision == VIT else f"_{vision}"
    return [
        Arm(
            name=f"late_{how}_geneformer_frozen{whose}",
            label=_words(f"Late {how}", "Geneformer", "frozen", VISION_EXPERTS.get(vision)),
            vision=vision,
            expression=GENEFORMER,
            granularity="tile",
            stage="late",
            how=how,
        )
        for how in LATE
    ]


VISIONS = (VIT, *VISION_EXPERTS)
ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        *_of_expression(),
        *(arm for vision in VISIONS for arm in (*_of_vision(vision), *_of_geneformer(vision))),
    )
}
OWN_ARMS = tuple(name for name, arm in ARMS.items() if arm.vision in (None, VIT) and arm.expression != GENEFORMER)


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
        msg = f"There is no arm {arm!r}: choose among {', '.join(OWN_ARMS)}, or those of the frozen experts in ARMS."
        raise InputError(msg)
    return ARMS[arm]
