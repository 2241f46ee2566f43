"""Tiny data sets in the formats of the real ones, with registry entries that name their true size and hash."""

import gzip
import hashlib
import io
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest

from beyond_alignment.datasets.registry import data_set_from

GENES = {"A1": ["B2M", "ACTB", "ERBB2"], "A2": ["B2M", "CD4"], "C2": ["ERBB2"]}
POSITIONS = [(10, 13), (10, 14), (11, 13)]


@pytest.fixture
def bare_environment(monkeypatch, tmp_path):
    """Keep the tests off the mirror, the cache and the proxies of the machine they run on."""
    for name in (
        "BEYOND_ALIGNMENT_MIRROR",
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BEYOND_ALIGNMENT_CACHE", str(tmp_path / "cache_of_the_test"))


def tsv(table, **options):
    return table.to_csv(sep="\t", **options).encode()


def counts_of(genes, seed, positions=POSITIONS):
    values = np.random.default_rng(seed).integers(0, 5, (len(positions), len(genes)))
    return pd.DataFrame(values, index=[f"{x}x{y}" for x, y in positions], columns=genes)


def spots_of(positions, selected=None):
    table = pd.DataFrame(positions, columns=["x", "y"])
    table["new_x"], table["new_y"] = table["x"] + 0.01, table["y"] - 0.01
    table["pixel_x"], table["pixel_y"] = table["x"] * 100.0, table["y"] * 100.0 + 7.5
    table["selected"] = 1 if selected is None else selected
    return tsv(table, index=False)


def record(name, files, sections, folder, *, base_url, pitch=200, absent=()):
    """Write ``files`` (path -> (role, sections, scale, bytes)) below the mirror and return their registry record."""
    entries = []
    for path, (role, where, scale, content) in files.items():
        entry = {"path": path, "role": role, "sections": where, "scale": scale, "size": len(content)}
        entries.append(entry | {"sha256": hashlib.sha256(content).hexdigest()})
        if path not in absent:
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    fields = {
        "title": "t", "species": "s", "licence": "MIT", "source": "o/r@c", "doi": "d", "citation": "k",
        "coverage": "c", "spot_diameter_um": 100, "pitch_um": pitch, "base_url": base_url,
        "sections": {s: {"donor": s[0], "microns_per_pixel": 2.0} for s in sections}, "files": entries,
    }  # fmt: skip
    return data_set_from(name, fields)


@pytest.fixture
def mirror(tmp_path):
    (tmp_path / "mirror").mkdir()
    return tmp_path / "mirror"


@pytest.fixture
def tiny_her2st(mirror):
    """Return a maker of HER2ST with sections A1 (labelled, overview), A2 and C2; the image of C2 can be left out."""

    def make(base_url="http://127.0.0.1:9/", absent=(), change=()):
        archive = io.BytesIO()
        files = {}
        with zipfile.ZipFile(archive, "w") as members:
            for seed, section in enumerate(GENES):
                counts = counts_of(GENES[section], seed)
                share = pd.DataFrame({"Epithelial": [0.25, 0.5, 1.0], "T-cells": [0.75, 0.5, 0.0]}, index=counts.index)
                members.writestr(f"major/{section}-proportion.tsv", tsv(share))
                files[f"cnts/{section}.tsv.gz"] = ("counts", [section], None, gzip.compress(tsv(counts)))
                spots = spots_of([*POSITIONS[::-1], (12, 20)])
                files[f"spots/{section}.tsv"] = ("spots", [section], None, spots)
                files[f"imgs/{section}.jpg"] = ("image", [section], 1.0, b"full " + section.encode())
        files["major.zip"] = ("proportions", [], None, archive.getvalue())
        files["minor.zip"] = ("extra", [], None, b"never read")
        labels = pd.DataFrame({"x": [10.02, 9.98], "y": [13.01, 13.97], "label": ["cancer", "adipose"]})
        files["lbl/A1.tsv"] = ("labels", ["A1"], None, tsv(labels))
        files["app/A1.png"] = ("overview", ["A1"], 0.25, b"overview")
        files |= dict(change)
        return record("her2st", files, GENES, mirror, base_url=base_url, absent=absent)

    return make


@pytest.fixture
def tiny_mob(mirror):
    genes = ["ENSMUSG2.1", "ENSMUSG1.4", "ENSMUSG9.1"]
    positions = [(10, 10), (10, 12), (11, 11)]
    symbols = pd.DataFrame({"gene_id": genes[:2], "gene_type": "x", "gene_name": ["Penk", "Penk"]})
    files = {
        "MOB1.tsv": ("counts", ["MOB1"], None, tsv(counts_of(genes, 0, positions))),
        "al_MOB1.tsv": ("spots", ["MOB1"], None, spots_of([*positions[::-1], (1, 1)], selected=[1, 0, 1, 0])),
        "MOB1.jpg": ("image", ["MOB1"], 1.0, b"jpg"),
        "genes.tsv.gz": ("genes", [], None, gzip.compress(tsv(symbols, index=False))),
    }
    return record("mob", files, ["MOB1"], mirror, base_url="http://127.0.0.1:9/")


@pytest.fixture
def tiny_crc(mirror, tmp_path):
    barcodes = ["AAA-1", "CCC-1", "GGG-1"]
    matrix = np.array([[1, 0, 2], [0, 3, 0], [0, 0, 4]])  # spot, gene
    with h5py.File(tmp_path / "m.h5", "w") as store:
        group = store.create_group("matrix")
        rows, columns = np.nonzero(matrix)
        group["barcodes"] = np.array(barcodes, dtype="S")
        group["data"] = matrix[rows, columns].astype("i4")
        group["indices"] = columns.astype("i8")
        group["indptr"] = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=3))]).astype("i8")
        group["shape"] = np.array([3, 3], dtype="i4")
        for name, values in {
            "id": ["E1", "E2", "E3"],
            "name": ["TP53", "PTGS2", "TP53"],
            "feature_type": ["Gene Expression"] * 3,
            "genome": ["GRCh38"] * 3,
        }.items():
            group[f"features/{name}"] = np.array(values, dtype="S")
    positions = "TTT-1,0,0,0,1,1\nGGG-1,1,2,4,300,410\nAAA-1,1,0,0,100,210\nCCC-1,1,1,1,187,260\n"
    bacteria = '"","CCC-1","AAA-1"\n"Fusobacterium",5,0\n"Bulleidia",2,1\n'
    files = {
        "m.h5": ("counts", ["crc"], None, (tmp_path / "m.h5").read_bytes()),
        "positions.csv": ("spots", ["crc"], None, positions.encode()),
        "bacteria.csv": ("bacteria", ["crc"], None, bacteria.encode()),
        "grey.jpg": ("image", ["crc"], 0.286, b"grey"),
        "colour.png": ("colour", ["crc"], 0.0858, b"colour"),
    }
    return record("crc_visium", files, ["crc"], mirror, base_url="http://127.0.0.1:9/", pitch=100)
