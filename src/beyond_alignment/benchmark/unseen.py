"""Embeddings of networks that never saw the donor that is scored: one network a donor, another for each fold."""

from collections.abc import Mapping, Sequence

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from beyond_alignment import keys
from beyond_alignment.benchmark.embeddings import embedding
from beyond_alignment.errors import InputError
from beyond_alignment.experts.embed import field_name
from beyond_alignment.tasks.splits import Split

EXCLUDED = "excluded_donors"
UNSEEN = "unseen"


def without_donors(tissue: AnnData, name: str) -> tuple[str, ...]:
    """Return the donors that the network behind an embedding was kept from, of ``uns["<name>"]["params"]``."""
    return tuple(str(donor) for donor in tissue.uns.get(name, {}).get("params", {}).get(EXCLUDED, ()))


def unseen_variants(tissue: AnnData, expert: str, *, field_um: int) -> dict[str, str]:
    """Return, donor by donor, the embedding of the network that was trained without the donor.

    Raises
    ------
    InputError
        If a donor of the tissue was seen by every variant.
    """
    ends = field_name("", field_um)
    held = [str(key)[2:] for key in tissue.obsm if str(key).startswith(f"X_{expert}_without_")]
    variants = {donor: name for name in held if name.endswith(ends) for donor in without_donors(tissue, name)}
    donors = sorted(tissue.obs[keys.DONOR].astype(str).unique())
    if seen := [donor for donor in donors if donor not in variants]:
        msg = f"No embedding of {expert} at {field_um} um leaves out donor {', '.join(seen)}: train and embed one."
        raise InputError(msg)
    return {donor: variants[donor] for donor in donors}


def variants_named(tissue: AnnData, expert: str) -> dict[str, str] | None:
    """Return the variants that a name such as ``tissue_vit_unseen_200um`` stands for; None for any other expert."""
    whole, found, field = expert.partition(f"_{UNSEEN}_")
    return unseen_variants(tissue, whole, field_um=int(field.removesuffix("um"))) if found else None


def fold_embeddings(
    tissue: AnnData, expert: str, folds: Sequence[tuple[str, ...]], variants: Mapping[str, str] | None
) -> list[NDArray[np.float32]]:
    """Return the embedding of all spots that each fold, given by the donors of its test spots, is to be scored with.

    Training and test spots of a fold are embedded by one network: those of two networks have no axis in common.

    Raises
    ------
    InputError
        If a fold tests several donors that no single variant was kept from.
    """
    if variants is None:
        return [embedding(tissue, expert)] * len(folds)
    chosen = []
    for donors in folds:
        names = {variants[donor] for donor in donors}
        if len(names) > 1:
            msg = f"A fold tests donors {', '.join(donors)}, and no variant of {expert} was kept from all of them."
            raise InputError(msg)
        chosen.append(names.pop())
    held = {name: embedding(tissue, name) for name in set(chosen)}
    return [held[name] for name in chosen]


def donors_tested(donors: NDArray, folds: Sequence[Split]) -> list[tuple[str, ...]]:
    """Return the donors of the test spots of each fold, of the donors of all spots (spot,)."""
    return [tuple(np.unique(np.asarray(donors)[fold.test].astype(str))) for fold in folds]
