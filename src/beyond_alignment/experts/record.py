"""What is known about a frozen unimodal expert."""

from dataclasses import dataclass
from typing import Literal

Modality = Literal["expression", "morphology"]
Runs = Literal["here", "own environment"]
Colour = tuple[float, float, float]

IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_SD: Colour = (0.229, 0.224, 0.225)
NO_MEAN: Colour = (0.0, 0.0, 0.0)
NO_SD: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Expert:
    """A frozen model of one modality.

    Attributes
    ----------
    name
        Its name here; its embedding is ``obsm["X_<name>"]``, with ``_<field of view>um`` appended for morphology.
    modality
        ``expression`` or ``morphology``.
    dimension
        Number of features d of an embedding (spot, feature).
    parameters
        Number of frozen parameters that an embedding passes through; as published, rounded, where it runs in its own
        environment.
    source
        Where its weights come from: ``owner/name`` on the hub; or its definition.
    licence
        Licence of the weights.
    input_description
        What one example is, with units.
    fitted_on
        The data its parameters were fitted on.
    citation
        Key in ``book/references.bib``.
    revision
        Commit of the hub that is loaded; empty where there is none.
    gated
        Whether the hub gives the weights only to an account that its owners have let in.
    input_px
        Side of the square image that it reads; 0 for expression.
    microns_per_pixel
        Scale of that image: the published one, 0.5 (20x) for models that were not made for tissue; 0 for expression.
    mean, sd
        Red, green and blue, in [0, 1]: an image goes in as (image - mean) / sd.
    requires
        Packages it needs beyond those of the project.
    runs
        ``here``, or in its ``own environment`` that writes a file of embeddings.
    default
        Whether the pages of the book use it.
    """

    name: str
    modality: Modality
    dimension: int
    parameters: int
    source: str
    licence: str
    input_description: str
    fitted_on: str
    citation: str
    revision: str = ""
    gated: bool = False
    input_px: int = 0
    microns_per_pixel: float = 0.0
    mean: Colour = NO_MEAN
    sd: Colour = NO_SD
    requires: tuple[str, ...] = ()
    runs: Runs = "here"
    default: bool = False

    @property
    def on_hub(self) -> bool:
        """Whether its weights are on the hub, at ``source`` and ``revision``."""
        return bool(self.revision)

    @property
    def provenance(self) -> dict[str, str]:
        """What is written of it beside an embedding, in ``uns["<name>"]["params"]``."""
        return {
            "expert": self.name,
            "source": self.source,
            "revision": self.revision,
            "licence": self.licence,
            "input": self.input_description,
            "fitted_on": self.fitted_on,
        }

    @property
    def field_of_view_um(self) -> float:
        """Side of the square of tissue that it reads, in microns; 0 for expression."""
        return self.input_px * self.microns_per_pixel
