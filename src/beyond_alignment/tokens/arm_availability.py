"""Which arms can run on this machine, and exactly what the others lack."""

from collections.abc import Collection

from beyond_alignment.errors import InputError
from beyond_alignment.experts.architectures import BUILDERS
from beyond_alignment.experts.availability import availability
from beyond_alignment.experts.registry import EXPERTS
from beyond_alignment.tokens.arms import VIT, Arm

WITHOUT_PATCHES = ("conch", "colour", "mobilenetv2", "resnet50", "ctranspath", "virchow", "virchow2")


def missing(arm: Arm, *, given: Collection[str] = ()) -> tuple[str, ...]:
    """Say what an arm lacks here; the network is not asked.

    Parameters
    ----------
    arm
        The arm.
    given
        Frozen experts whose embeddings of the tiles are at hand.

    Returns
    -------
    tuple
        One sentence for each thing that is missing; empty where the arm can run.
    """
    found: list[str] = []
    if arm.vision not in (None, VIT):
        found += _missing_vision(arm, str(arm.vision), given)
    if arm.expression not in (None, "mlp") and arm.expression not in given:
        found += _missing_embedding(str(arm.expression))
    return tuple(found)


def _missing_vision(arm: Arm, name: str, given: Collection[str]) -> list[str]:
    """Say what the vision expert of an arm lacks."""
    if arm.cached and name in given:
        return []
    if not arm.cached and name in WITHOUT_PATCHES:
        return [f"{name} has no patch tokens here that could be trained or joined: use its frozen arms of late fusion"]
    return _missing_embedding(name)


def _missing_embedding(name: str) -> list[str]:
    """Say what an expert lacks."""
    own = f"give its embeddings of the tiles as embeddings={{{name!r}: (tile, feature)}}"
    if name not in EXPERTS:
        return [f"{name} is not among the experts of the project, which has no weights of it: {own}"]
    try:
        lacking = availability(name).missing
    except InputError as error:
        lacking = (str(error),)
    if not lacking and name not in BUILDERS:
        lacking = ("it embeds no tiles by itself",)
    return [f"{name}: {text}; or {own}" for text in lacking]
