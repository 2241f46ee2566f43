"""What the scripts say of their input, before any model is asked."""

import importlib
import re
import subprocess
import sys

import anndata
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tests.envs.scripts import ENVS, IDS, NAMES, SYMBOLS, genes_of, make_counts, script
from tests.envs.stand_ins import install

script("scgpt")  # puts envs on the path
counts = importlib.import_module("counts")


def check(name, adata, tmp_path, *arguments):
    """Run ``--check`` and return the exit code."""
    adata.write_h5ad(tmp_path / "data.h5ad")
    return script(name).main([str(tmp_path / "data.h5ad"), "--check", *arguments])


@pytest.mark.parametrize("name", NAMES)
def test_help_needs_the_standard_library_alone(name):
    command = [sys.executable, "-S", "-B", str(ENVS / name / "extract.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = " ".join(done.stdout.split())
    model = script(name).MODEL
    assert f"{model.dimension} features" in said
    assert model.licence in said
    assert "--check" in said
    assert done.stderr == ""


@pytest.mark.parametrize("name", NAMES)
def test_check_runs_as_a_program(name, tmp_path):
    make_counts(genes_of(name)).write_h5ad(tmp_path / "good.h5ad")
    program = [sys.executable, str(ENVS / name / "extract.py")]
    done = subprocess.run(
        [*program, str(tmp_path / "good.h5ad"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "good.h5ad: 9 spots, 620 genes, raw counts." in done.stdout


def test_a_program_without_its_file_ends_with_a_sentence(tmp_path):
    program = [sys.executable, str(ENVS / "scgpt" / "extract.py")]
    done = subprocess.run(
        [*program, str(tmp_path / "absent.h5ad"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("There is no file")
    assert "Traceback" not in done.stderr


def normalised(adata):
    adata.X = adata.X.log1p()
    return adata


def negative(adata):
    adata.X[0, 0] = -1
    return adata


def infinite(adata):
    adata.X[0, 0] = np.inf
    return adata


def empty_spot(adata):
    adata.X = sparse.csr_matrix(np.vstack([np.zeros((1, adata.n_vars), np.float32), adata.X[1:].toarray()]))
    return adata


def repeated_spots(adata):
    adata.obs_names = ["a"] * adata.n_obs
    return adata


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (normalised, "are no counts, such as"),
        (negative, "1 values of data.h5ad are no counts, such as -1"),
        (infinite, "such as inf"),
        (empty_spot, "1 spots of data.h5ad have no counts of the 620 genes"),
        (repeated_spots, "spot names of data.h5ad occur twice, such as 'a'"),
        (lambda adata: adata[:0].copy(), "there must be spots and genes"),
        (lambda adata: adata[:, :0].copy(), "there must be spots and genes"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_bad_input_is_refused_in_one_sentence(name, spoil, said, tmp_path, capsys):
    assert check(name, spoil(make_counts(genes_of(name))), tmp_path) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize("name", NAMES)
def test_symbols_and_ensembl_identifiers_are_told_apart(name, tmp_path, capsys):
    wanted = script(name).MODEL.genes
    adata = make_counts(SYMBOLS if wanted == "ensembl" else IDS)
    assert check(name, adata, tmp_path) == (0 if wanted == "either" else 2)
    if wanted != "either":
        assert f"scgpt wants {wanted}".replace("scgpt", name) in capsys.readouterr().err
        adata.var["other"] = list(genes_of(name))
        assert check(name, adata, tmp_path, "--gene-column", "other") == 0


def test_a_gene_map_leads_from_one_to_the_other(tmp_path, capsys):
    lines = [f"{symbol}\t{identifier}" for symbol, identifier in zip(SYMBOLS, IDS, strict=True)]
    (tmp_path / "map.tsv").write_text("\n".join(lines[:300]), encoding="utf-8")
    assert check("geneformer", make_counts(SYMBOLS), tmp_path, "--gene-map", str(tmp_path / "map.tsv")) == 0
    assert "300 genes" in capsys.readouterr().out
    assert (
        check("geneformer", make_counts(["X" + s for s in SYMBOLS]), tmp_path, "--gene-map", str(tmp_path / "map.tsv"))
        == 2
    )
    assert "names none of the 620 genes of the data, such as XGEN0" in capsys.readouterr().err
    (tmp_path / "map.tsv").write_text("one column", encoding="utf-8")
    assert check("geneformer", make_counts(SYMBOLS), tmp_path, "--gene-map", str(tmp_path / "map.tsv")) == 2
    assert "must have two tab-separated columns" in capsys.readouterr().err


def test_another_species_is_noticed(tmp_path, capsys):
    mouse = [f"ENSMUSG{number:011d}" for number in range(600)]
    assert check("geneformer", make_counts(mouse), tmp_path) == 2
    assert "look like mouse (ENSMUSG00000000000" in capsys.readouterr().err
    assert check("nicheformer", make_counts(mouse), tmp_path, "--species", "mouse") == 0
    assert check("scgpt", make_counts([f"Gnai{number}" for number in range(600)]), tmp_path) == 2
    assert check("uce", make_counts([f"Gnai{number}" for number in range(600)]), tmp_path, "--species", "mouse") == 0
    assert check("uce", make_counts(SYMBOLS), tmp_path, "--species", "pig") == 0


def test_counts_of_a_layer_are_read_and_missing_ones_are_named(tmp_path, capsys):
    adata = make_counts(SYMBOLS)
    adata.layers["counts"] = adata.X.copy()
    adata = normalised(adata)
    assert check("scgpt", adata, tmp_path) == 2
    assert check("scgpt", adata, tmp_path, "--layer", "counts") == 0
    capsys.readouterr()
    assert check("scgpt", adata, tmp_path, "--layer", "raw") == 2
    assert "has no layers/raw, obs and var; its layers are: counts" in capsys.readouterr().err
    assert check("scgpt", adata, tmp_path, "--gene-column", "ids") == 2
    assert "has no column 'ids'" in capsys.readouterr().err
    assert check("scgpt", adata, tmp_path, "--out", str(tmp_path / "absent.h5")) == 2
    (tmp_path / "data.h5ad").write_bytes(b"no file of this kind")
    assert script("scgpt").main([str(tmp_path / "data.h5ad"), "--check"]) == 2
    assert "cannot be read as .h5ad" in capsys.readouterr().err


def test_weights_that_git_lfs_has_not_fetched_are_noticed(tmp_path, capsys):
    for name in ("best_model.pt", "args.json", "vocab.json"):
        (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid ...", encoding="utf-8")
    assert check("scgpt", make_counts(SYMBOLS), tmp_path, "--weights", str(tmp_path)) == 2
    assert "is a git-lfs pointer" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in NAMES if name != "scfoundation"])  # that runs as a process
def test_a_package_that_is_missing_is_named(name, tmp_path, monkeypatch, capsys):
    given = install(name, monkeypatch, tmp_path / "weights")
    monkeypatch.setitem(sys.modules, {"uce": "accelerate", "nicheformer": "transformers"}.get(name, name), None)
    monkeypatch.setitem(sys.modules, "scgpt.tasks", None)
    monkeypatch.setitem(sys.modules, "scprint.tasks", None)
    make_counts(genes_of(name)).write_h5ad(tmp_path / "data.h5ad")
    assert script(name).main([str(tmp_path / "data.h5ad"), *given]) == 2
    assert f"make the environment of envs/{name}" in capsys.readouterr().err


@pytest.mark.parametrize("encode", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8])
def test_counts_are_read_as_anndata_reads_them(encode, dtype, tmp_path):
    adata = make_counts(SYMBOLS[:20])
    adata.X = encode(adata.X.toarray().astype(dtype))
    adata.var["kind"] = pd.Categorical([f"K{i % 3}" for i in range(20)])
    adata.var["plain"] = pd.array([f"P{i}" for i in range(20)], dtype="string")
    with anndata.settings.override(allow_write_nullable_strings=True):
        adata.write_h5ad(tmp_path / "data.h5ad")
    truth = anndata.read_h5ad(tmp_path / "data.h5ad")
    for column in ("", "kind", "plain"):
        read = counts.read_counts(tmp_path / "data.h5ad", gene_column=column)
        assert list(read.genes) == list(truth.var[column] if column else truth.var_names)
    np.testing.assert_array_equal(
        read.values.toarray(), np.asarray(truth.X.todense() if sparse.issparse(truth.X) else truth.X)
    )
    assert list(read.obs_names) == list(truth.obs_names)
    assert list(read.anndata().obs_names) == list(truth.obs_names)


@settings(max_examples=60, deadline=None)
@given(have=st.lists(st.sampled_from([*"abcABC", "ENSG00000000001.2", "ENSG00000000001"]), max_size=8), data=st.data())
def test_selecting_genes_sums_what_has_the_same_name(have, data):
    vocabulary = data.draw(st.lists(st.sampled_from([*"abcd", "ENSG00000000001"]), unique=True, max_size=5))
    values = np.arange(1, len(have) + 1, dtype=np.float32)[None]
    table = counts.Counts(sparse.csr_matrix(values), ("s",), tuple(have), ENVS)
    truth = [
        sum(value for value, name in zip(values[0], have, strict=True) if name.lower().split(".")[0] == gene.lower())
        for gene in vocabulary
    ]
    assert table.select(vocabulary).values.toarray()[0].tolist() == truth


@pytest.mark.parametrize(
    ("genes", "kind", "species"),
    [
        (["TP53", "ERBB2", "CD8A", "MT-CO1"], "symbol", "human"),
        (["Trp53", "Erbb2", "Cd8a", "mt-Co1", "Gnai3"], "symbol", "mouse"),
        (["ENSG00000141510.17", "ENSG00000141736"], "ensembl", "human"),
        (["ENSMUSG00000059552", "ENSMUSG00000000001"], "ensembl", "mouse"),
        (["ENSDARG00000035559"], "ensembl", ""),
        (["ENSG00000141510", "ENSMUSG00000059552"], "ensembl", ""),
        (["tp53", "erbb2"], "symbol", ""),
        ([], "symbol", ""),
    ],
)
def test_names_say_what_they_are(genes, kind, species):
    assert (counts.kind_of(genes), counts.species_of(genes)) == (kind, species)


@pytest.mark.parametrize("name", NAMES)
def test_environments_are_pinned(name):
    pins = (ENVS / name / "requirements.txt").read_text(encoding="utf-8").split("\n")[:-1]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.\-\[\]]+==[\w.]+", pin)] == []
    asked = (ENVS / name / "requirements.in").read_text(encoding="utf-8").split("\n")[:-1]
    plain = {re.sub(r"\[.*\]", "", pin) for pin in pins}
    assert {re.sub(r"\[.*\]", "", pin) for pin in asked} <= plain
    assert {"h5py", "numpy", "scipy", "anndata"} <= {pin.split("==")[0] for pin in pins}
    environment = yaml.safe_load((ENVS / name / "environment.yml").read_text(encoding="utf-8"))
    assert {"pip": ["-r requirements.txt"]} in environment["dependencies"]
