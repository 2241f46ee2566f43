import pytest

from beyond_alignment.datasets.registry import data_set, data_set_from, data_sets
from beyond_alignment.errors import InputError

TISSUE = {"her2st", "mob", "crc_visium", "xenium_breast_crop"}


def entry(**file):
    fields = {"path": "a.tsv", "role": "counts", "sections": ["S1"], "size": 3, "sha256": "0" * 64, **file}
    return {
        "title": "t", "species": "s", "licence": "MIT", "source": "o/r@c", "doi": "10.1/x", "citation": "k",
        "coverage": "c", "spot_diameter_um": 100, "pitch_um": 200, "base_url": "https://example.org/",
        "sections": {"S1": {"donor": "S", "microns_per_pixel": 0.5}},
        "files": [fields],
    }  # fmt: skip


def test_every_data_set_is_described():
    assert {d.name for d in data_sets()} == TISSUE | {"genesets", "weights"}
    for record in data_sets():
        assert all([record.title, record.licence, record.source, record.doi, record.citation, record.coverage])
        assert record.files
        assert bool(record.sections) == (record.name in TISSUE)


def test_every_file_can_be_verified_and_its_address_is_pinned():
    pinned = {d.name: d.source.partition("@")[2] for d in data_sets()}
    for file in (file for record in data_sets() for file in record.files):
        assert (file.size is None) == (file.sha256 is None)
        assert file.sha256 or file.git_blob
        if file.dataset == "weights":
            assert file.url is None
        else:
            assert file.url.startswith(
                f"https://raw.githubusercontent.com/{data_set(file.dataset).source.split('@')[0]}/"
            )
            assert pinned[file.dataset] in file.url
            assert len(pinned[file.dataset]) == 40


def test_every_her2st_section_has_counts_spots_and_an_image():
    record = data_set("her2st")
    assert len(record.sections) == 36
    for section in record.sections:
        roles = [file.role for file in record.needed(section)]
        assert {"counts", "spots", "proportions", "image"} <= set(roles)
    overview = [file.path for file in record.needed("A1", overview=["A1"]) if file.scale]
    assert overview == ["app/www/imgs/A1_HE_image_dark.png"]
    assert not [file for file in record.needed("A1", images=False) if file.scale]


def test_the_30_images_that_only_have_a_blob_id_are_those_without_a_size():
    assert sum(file.size is None for file in data_set("her2st").files) == 30


def test_a_correct_entry_is_read():
    record = data_set_from("mine", entry())
    assert record.files[0].url == "https://example.org/a.tsv"
    assert data_set(record) is record


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sha256": None}, "git blob id"),
        ({"sha256": "xyz"}, "64 hexadecimal"),
        ({"git_blob": "1"}, "40 hexadecimal"),
        ({"size": None}, "size"),
        ({"size": -1}, "0 bytes"),
        ({"path": "../a"}, "inside"),
        ({"path": "/a"}, "inside"),
        ({"sections": ["S9"]}, "S1"),
        ({"url": "ftp://x/a"}, "web address"),
        ({"role": "image"}, "scale"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_a_wrong_entry_is_refused(change, named):
    with pytest.raises(InputError, match=named):
        data_set_from("mine", entry(**change))


@pytest.mark.parametrize("field", ["title", "licence", "source", "sections", "files", "citation"])
def test_an_incomplete_entry_is_refused(field):
    incomplete = entry()
    del incomplete[field]
    with pytest.raises(InputError, match=field):
        data_set_from("mine", incomplete)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(InputError, match="her2st, mob, crc_visium"):
        data_set("her2")
    with pytest.raises(InputError, match=r"Z9.*A1, A2"):
        data_set("her2st").choose(["A1", "Z9"])
    with pytest.raises(InputError, match="at least one"):
        data_set("her2st").choose([])
    with pytest.raises(InputError, match="no file nothing"):
        data_set("her2st").file("nothing")
    assert data_set("her2st").choose("A1") == ("A1",)
    assert data_set("her2st").choose(["B1", "A1", "B1"]) == ("B1", "A1")
