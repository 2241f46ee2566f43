"""Which weights fine-tuning starts from: those of a network that never saw the donors that are tested."""

from collections.abc import Sequence
from typing import Any

from beyond_alignment.errors import InputError
from beyond_alignment.experts import gene_transformer, tissue_vit
from beyond_alignment.experts.gene_transformer import TrainedGeneTransformer, load_gene_transformer
from beyond_alignment.experts.model_card import read_model_card
from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.released import shipped_variants
from beyond_alignment.experts.weights_files import shipped_file


def starting_tissue_vit(*, tested_donors: Sequence[Any]) -> FrozenModel:
    """Load a ``tissue_vit`` that never saw an image of the tested donors: what it makes of them it makes of new ones.

    Parameters
    ----------
    tested_donors
        Donors of the test spots; under a split by block, of all spots.

    Returns
    -------
    FrozenModel
        A variant says in ``details["excluded_donors"]`` which donors it was kept from.

    Raises
    ------
    InputError
        If no variant was kept from all of them.
    """
    wanted = {str(donor) for donor in tested_donors}
    variants = shipped_variants(tissue_vit.NAME)
    for model in variants:
        if wanted <= set(model.details["excluded_donors"]):
            return model
    kept = "; ".join(", ".join(model.details["excluded_donors"]) for model in variants)
    msg = (
        f"No variant of {tissue_vit.NAME} was kept from donor {', '.join(sorted(wanted))} ({kept}): train one "
        "with --exclude-donor."
    )
    raise InputError(msg)


def starting_gene_transformer(*, tested_donors: Sequence[Any]) -> TrainedGeneTransformer:
    """Load ``gene_transformer`` unless its card says that it saw a tested donor: there is one."""
    path = shipped_file(get_expert(gene_transformer.NAME))
    if path is None:
        raise InputError(f"The weights of {gene_transformer.NAME} are not here: restore data/experts.")
    seen = {str(donor) for donor in read_model_card(path.with_suffix(".json")).donors}
    if both := sorted(seen & {str(donor) for donor in tested_donors}):
        msg = (
            f"{gene_transformer.NAME} was trained on counts of donor {', '.join(both)}: test other donors, or train "
            "one without."
        )
        raise InputError(msg)
    return load_gene_transformer(path)
