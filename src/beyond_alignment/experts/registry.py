"""The frozen unimodal experts: one record each."""

from beyond_alignment.errors import InputError
from beyond_alignment.experts.record import Expert, Modality, Runs
from beyond_alignment.experts.records_expression import EXPRESSION
from beyond_alignment.experts.records_morphology import MORPHOLOGY

__all__ = ["EXPERTS", "Expert", "Modality", "Runs", "get_expert"]

EXPERTS: dict[str, Expert] = {expert.name: expert for expert in (*MORPHOLOGY, *EXPRESSION)}


def get_expert(name: str) -> Expert:
    """Return the record of an expert; ``UNI2-h`` and ``uni2_h`` are the same name.

    Raises
    ------
    InputError
        If there is no expert of that name.
    """
    known = EXPERTS.get(name) or EXPERTS.get(name.lower().replace("-", "_"))
    if known is None:
        msg = f"There is no expert {name!r}; known are {', '.join(sorted(EXPERTS))}."
        raise InputError(msg)
    return known
