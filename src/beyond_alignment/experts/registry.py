"""The frozen unimodal experts: one record each."""

from dataclasses import dataclass
from typing import Literal

from beyond_alignment.errors import InputError

Modality = Literal["expression", "morphology"]


@dataclass(frozen=True)
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
        Number of frozen parameters.
    source
        Where its weights, or its definition, come from.
    licence
        Licence of the weights.
    input_description
        What one example is, with units.
    fitted_on
        The data its parameters were fitted on.
    citation
        Key in ``book/references.bib``.
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


EXPERTS: dict[str, Expert] = {
    expert.name: expert
    for expert in (
        Expert(
            name="mobilenetv2",
            modality="morphology",
            dimension=1280,
            parameters=2_223_872,
            source="MobileNetV2-1.0 (timm name mobilenetv2_100) as published in the ONNX Model Zoo, batch norm folded",
            licence="Apache-2.0",
            input_description="224 x 224 px RGB patch, ImageNet mean and sd, global average pooling",
            fitted_on="ImageNet-1k",
            citation="sandler2018mobilenetv2",
        ),
        Expert(
            name="colour",
            modality="morphology",
            dimension=6,
            parameters=0,
            source="mean and standard deviation of the red, green and blue channel of a patch, in [0, 1]",
            licence="none needed",
            input_description="RGB patch of any size",
            fitted_on="nothing",
            citation="",
        ),
        Expert(
            name="pca",
            modality="expression",
            dimension=50,
            parameters=0,
            source="principal components of log1p counts (10,000 a spot) of the 2,000 most variable genes",
            licence="CC BY 4.0 (of the counts it was fitted on)",
            input_description="counts of one spot",
            fitted_on="HER2ST donors D-H for HER2ST; training folds elsewhere",
            citation="wolf2018scanpy",
        ),
        Expert(
            name="hallmark",
            modality="expression",
            dimension=50,
            parameters=0,
            source="mean log1p expression of each MSigDB hallmark set less the mean over all genes of the spot",
            licence="CC BY 4.0 (MSigDB)",
            input_description="counts of one spot",
            fitted_on="nothing",
            citation="liberzon2015hallmark",
        ),
    )
}


def get_expert(name: str) -> Expert:
    """Return the record of an expert.

    Raises
    ------
    InputError
        If there is no expert of that name.
    """
    if name not in EXPERTS:
        msg = f"There is no expert {name!r}; known are {', '.join(sorted(EXPERTS))}."
        raise InputError(msg)
    return EXPERTS[name]
