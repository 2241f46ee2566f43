import re

import pytest

from beyond_alignment.experts.registry import EXPERTS, get_expert

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
H_OPTIMUS = ((0.707223, 0.578729, 0.703617), (0.211883, 0.230117, 0.177517))
PLAIN = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
ASKED_FOR = {
    "uni", "uni2_h", "conch", "virchow", "virchow2", "phikon", "phikon_v2", "ctranspath", "h_optimus_0",
    "resnet50", "vit_s", "mobilenetv2", "colour", "tissue_vit",
    "scgpt", "geneformer", "scfoundation", "scprint", "nicheformer", "uce", "pca", "hallmark",
}  # fmt: skip
GATED = {"uni", "uni2_h", "conch", "virchow", "virchow2", "h_optimus_0"}
FIELDS_UM = {"uni": 128, "uni2_h": 128, "conch": 256, "virchow": 112, "phikon_v2": 112, "ctranspath": 256}


def test_every_expert_of_the_issue_has_a_record():
    assert set(EXPERTS) >= ASKED_FOR
    assert {name for name, expert in EXPERTS.items() if expert.gated} == GATED


@pytest.mark.parametrize("expert", EXPERTS.values(), ids=lambda expert: expert.name)
def test_a_record_is_whole(expert):
    assert expert.dimension > 0
    assert expert.source
    assert expert.licence
    assert expert.fitted_on
    assert (expert.modality == "morphology") == (expert.input_px > 0) == (expert.microns_per_pixel > 0)
    assert not expert.revision or re.fullmatch("[0-9a-f]{40}", expert.revision)
    assert expert.on_hub == bool(expert.revision) <= bool(re.fullmatch(r"[\w-]+/[\w.-]+", expert.source))
    assert expert.gated <= expert.on_hub
    assert expert.citation or not expert.parameters


@pytest.mark.parametrize(
    ("names", "norm"),
    [
        (("uni", "uni2_h", "virchow", "virchow2", "phikon", "phikon_v2", "ctranspath", "mobilenetv2"), IMAGENET),
        (("resnet50", "vit_s"), IMAGENET),
        (("conch",), CLIP),
        (("h_optimus_0",), H_OPTIMUS),
        (("colour",), PLAIN),
    ],
)
def test_the_normalisation_is_the_published_one(names, norm):
    for name in names:
        assert (EXPERTS[name].mean, EXPERTS[name].sd) == norm


def test_norms_of_imagenet_models_are_those_of_timm():
    from beyond_alignment.experts.torchvision_operators import import_timm

    for name in ("resnet50", "vit_s"):
        published = import_timm().models.get_pretrained_cfg(EXPERTS[name].source.removeprefix("timm/"))
        assert (published.mean, published.std) == (EXPERTS[name].mean, EXPERTS[name].sd)
        assert published.input_size == (3, EXPERTS[name].input_px, EXPERTS[name].input_px)
        assert published.license == EXPERTS[name].licence.lower()


@pytest.mark.parametrize(("name", "field"), FIELDS_UM.items())
def test_the_field_of_view_is_that_of_the_published_tile(name, field):
    assert EXPERTS[name].field_of_view_um == pytest.approx(field)


def test_the_tissue_vit_is_read_as_it_was_trained():
    from beyond_alignment.experts import tissue_vit

    record = EXPERTS["tissue_vit"]
    assert (record.mean, record.sd) == (tissue_vit.MEAN, tissue_vit.SD)
    assert (record.input_px, record.dimension) == (tissue_vit.INPUT_PX, tissue_vit.DIMENSION)


@pytest.mark.parametrize("name", ["uni2_h", "UNI2-h", "uni2-h"])
def test_a_name_is_found_however_it_is_written(name):
    assert get_expert(name) is EXPERTS["uni2_h"]
