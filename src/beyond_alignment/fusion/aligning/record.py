"""The record of an aligned network."""

from types import MappingProxyType

from beyond_alignment.fusion.aligning.towers import AlignedNetwork
from beyond_alignment.fusion.record import FusionMethod


def aligned_method(
    name: str, label: str, network: type[AlignedNetwork], citation: str, **published: float
) -> FusionMethod:
    """Return the record of an alignment method that is trained on pairs: in theory it reaches what both share.

    Parameters
    ----------
    name, label
        Its name everywhere, and in figures.
    network
        Its class.
    citation
        BibTeX key.
    **published
        Its size in the study that applied it to frozen embeddings (:cite:t:`richter2026beyond`, 256 features a
        modality): most of the methods were proposed for images, where a size belongs to the image encoder.
    """
    return FusionMethod(
        name,
        label,
        "alignment",
        "R",
        network=network,
        trained_on="pairs",
        citation=(citation,),
        published=MappingProxyType(published),
    )
