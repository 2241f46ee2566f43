import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from beyond_alignment.datasets import load
from beyond_alignment.datasets.genesets import hallmark_sets, read_gmt
from beyond_alignment.datasets.scale import measured_microns_per_pixel
from beyond_alignment.datasets.tables import read_counts
from beyond_alignment.datasets.weights import weights_path
from beyond_alignment.errors import InputError

pytestmark = pytest.mark.usefixtures("bare_environment")


def written(path):
    return pd.read_csv(path, sep="\t", index_col=0)


def test_her2st_joins_counts_spots_labels_and_proportions(tiny_her2st, mirror):
    adata = load(tiny_her2st(), mirror=mirror, overview=["A1"])
    assert isinstance(adata.X, sparse.csr_matrix)
    assert adata.X.dtype == np.float32
    assert list(adata.var_names) == ["ACTB", "B2M", "CD4", "ERBB2"]
    assert list(adata.obs_names[:4]) == ["A1_10x13", "A1_10x14", "A1_11x13", "A2_10x13"]
    for section in ("A1", "A2", "C2"):
        table = written(mirror / f"her2st/cnts/{section}.tsv.gz")
        for spot in table.index:
            row = adata[f"{section}_{spot}"].to_df().iloc[0]
            assert row[table.columns].tolist() == table.loc[spot].tolist()
            assert (row.drop(table.columns) == 0).all()
    one = adata["A1_10x14"]
    assert one.obs[["array_x", "array_y"]].to_numpy().tolist() == [[10, 14]]
    assert one.obsm["spatial"].tolist() == [[1000.0, 1407.5]]
    assert one.obsm["composition"].to_numpy().tolist() == [[0.5, 0.5]]
    assert one.obs["donor"].tolist() == ["A"]
    assert adata.obs["pathologist"][:2].tolist() == ["cancer", "adipose"]
    assert adata.obs["pathologist"][2:].isna().all()


@pytest.mark.parametrize(
    ("path", "role", "content", "named"),
    [
        ("spots/A2.tsv", "spots", b"x\ty\tpixel_x\tpixel_y\tselected\n10\t13\t1\t1\t1\n", "10x14"),
        ("spots/A2.tsv", "spots", b"x\ty\n10\t13\n", "pixel_x"),
        ("cnts/A2.tsv.gz", "counts", b"not a gzipped file", "A2"),
        ("major.zip", "proportions", b"no archive", "A1"),
    ],
)
def test_her2st_files_that_do_not_fit_are_named(tiny_her2st, mirror, path, role, content, named):
    where = [] if role == "proportions" else ["A2"]
    record = tiny_her2st(change={path: (role, where, None, content)})
    with pytest.raises(InputError, match=named):
        load(record, mirror=mirror, overview=["A1"])


@pytest.mark.parametrize("value", ["-1", "nan", "three"])
def test_values_that_are_no_counts_are_refused(tmp_path, value):
    (tmp_path / "c.tsv").write_text(f"\tG1\tG2\n1x1\t0\t{value}\n")
    with pytest.raises(InputError, match=r"c\.tsv"):
        read_counts(tmp_path / "c.tsv")


def test_mob_keeps_tissue_spots_and_names_genes_by_symbol(tiny_mob, mirror):
    adata = load(tiny_mob, mirror=mirror)
    assert list(adata.obs_names) == ["MOB1_11x11", "MOB1_10x10"]
    assert list(adata.var["ensembl_id"]) == ["ENSMUSG1.4", "ENSMUSG2.1", "ENSMUSG9.1"]
    assert list(adata.var_names) == ["Penk", "Penk-1", "ENSMUSG9.1"]
    table = written(mirror / "mob/MOB1.tsv")
    assert adata.X.toarray().tolist() == table.loc[["11x11", "10x10"], adata.var["ensembl_id"]].to_numpy().tolist()
    assert adata.obsm["spatial"].tolist() == [[1100.0, 1107.5], [1000.0, 1007.5]]


def test_crc_joins_positions_and_sums_bacteria(tiny_crc, mirror):
    adata = load(tiny_crc, mirror=mirror)
    assert list(adata.obs_names) == ["AAA-1", "CCC-1", "GGG-1"]
    assert adata.X.toarray().tolist() == [[1, 0, 2], [0, 3, 0], [0, 0, 4]]
    assert list(adata.var_names) == ["TP53", "PTGS2", "TP53-1"]
    assert adata.obs["bacterial_umis"].tolist() == [1, 7, 0]
    assert adata.obs[["array_x", "array_y"]].to_numpy().tolist() == [[0, 0], [1, 1], [4, 2]]
    assert adata.obsm["spatial"].tolist() == [[210.0, 100.0], [260.0, 187.0], [410.0, 300.0]]
    assert adata.uns["spatial"]["crc"]["metadata"]["image"] == "grey.jpg"


def test_the_scale_is_measured_through_a_rotation(tiny_her2st, mirror):
    adata = load(tiny_her2st(), mirror=mirror, sections=["A1"], overview=["A1"])
    angle = 0.3
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    array = adata.obs[["array_x", "array_y"]].to_numpy() * 200.0
    adata.obsm["spatial"] = array / 0.69 @ rotation + 31.0
    assert measured_microns_per_pixel(adata, "A1") == pytest.approx(0.69, rel=1e-9)


def test_gene_sets_are_read_in_order(tmp_path):
    (tmp_path / "s.gmt").write_text("ONE\thttp://x\tA\tB\n\nTWO\t\tC\n")
    assert read_gmt(tmp_path / "s.gmt") == {"ONE": ["A", "B"], "TWO": ["C"]}
    for wrong in ("ONE\thttp://x\n", "ONE\tu\tA\nONE\tu\tB\n"):
        (tmp_path / "s.gmt").write_text(wrong)
        with pytest.raises(InputError, match="line"):
            read_gmt(tmp_path / "s.gmt")


def test_gene_sets_and_weights_that_are_damaged_are_refused(mirror):
    (mirror / "genesets").mkdir()
    (mirror / "genesets/h.all.v7.0.symbols.gmt").write_text("ONE\tu\tA\n")
    with pytest.raises(InputError, match="expected 48334 bytes, found 8"):
        hallmark_sets(mirror=mirror)
    with pytest.raises(InputError, match="no public address"):
        weights_path("mobilenetv2_100", mirror=mirror)
    with pytest.raises(InputError, match="it has mobilenetv2_100"):
        weights_path("resnet18", mirror=mirror)
