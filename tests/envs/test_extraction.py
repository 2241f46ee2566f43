"""From counts to the file that a notebook loads: each model is replaced by a stand-in with a known answer."""

import numpy as np
import pytest

from beyond_alignment.experts import EXPERTS
from beyond_alignment.experts.embedding_file import attach_embedding, read_embedding_file, write_embedding_file
from tests.envs.scripts import NAMES, genes_of, make_counts, script, vector
from tests.envs.stand_ins import by_name, install


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Return a function that runs a script on data and gives the exit code."""

    def run(name, adata, *arguments):
        given = install(name, monkeypatch, tmp_path / f"weights_{len(list(tmp_path.iterdir()))}")
        adata.write_h5ad(tmp_path / "data.h5ad")
        return script(name).main([str(tmp_path / "data.h5ad"), *given, *arguments])

    return run


@pytest.mark.parametrize("name", NAMES)
def test_every_spot_gets_its_own_vector(name, start, tmp_path, capsys):
    genes = genes_of(name)
    measured = [*genes[::-1][:600], "NOTAGENE"]  # in another order, some absent, one unknown
    adata = make_counts(measured)
    assert start(name, adata) == 0
    assert f"--expert {name} --from-file" in capsys.readouterr().out
    file = read_embedding_file(tmp_path / f"data.{name}.h5")
    assert file.expert == name
    shuffled = adata[np.random.default_rng(1).permutation(adata.n_obs)].copy()
    attach_embedding(shuffled, file)
    np.testing.assert_allclose(shuffled.obsm[f"X_{name}"], vector(by_name(shuffled, genes), name), rtol=1e-4, atol=1e-4)
    params = shuffled.uns[name]["params"]
    assert params["expert"] == name
    assert len(params["weights_sha256"]) == len(params["input_sha256"]) == 64
    assert params["revision"] == script(name).MODEL.revision
    assert {"pooling", "licence", "seed", "device", "species", "n_genes"} <= set(params)
    shuffled.write_h5ad(tmp_path / "done.h5ad")


@pytest.mark.parametrize("name", NAMES)
def test_one_spot_alone_is_embedded(name, start, tmp_path):
    assert start(name, make_counts(genes_of(name), n_spots=1)) == 0
    assert read_embedding_file(tmp_path / f"data.{name}.h5").values.shape == (1, script(name).MODEL.dimension)


@pytest.mark.parametrize("name", NAMES)
def test_check_of_a_written_file_needs_no_model(name, start, tmp_path, monkeypatch, capsys):
    adata = make_counts(genes_of(name))
    assert start(name, adata) == 0
    monkeypatch.undo()
    assert script(name).main([str(tmp_path / "data.h5ad"), "--check"]) == 0
    assert f"whole, 9 spots x {script(name).MODEL.dimension} features" in capsys.readouterr().out
    out = tmp_path / f"data.{name}.h5"
    out.write_bytes(out.read_bytes()[:-100])
    assert script(name).main([str(tmp_path / "data.h5ad"), "--check"]) == 2
    assert "run the extraction again" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["scgpt", "scfoundation", "nicheformer", "uce"])
def test_too_few_genes_in_common_are_named(name, start, capsys):
    genes = [*genes_of(name)[:499], *(f"{gene}9999" for gene in genes_of(name)[:300])]
    assert start(name, make_counts(genes)) == 2
    said = capsys.readouterr().err
    assert "knows 499 of the 799 genes of the data and at least 500 are needed" in said
    assert f"the data has {genes[0]}" in said
    assert f"the model {genes_of(name)[0]}" in said


def test_both_writers_write_the_same_file(start, tmp_path):
    assert start("scgpt", make_counts(genes_of("scgpt"))) == 0
    theirs = read_embedding_file(tmp_path / "data.scgpt.h5")
    write_embedding_file(
        tmp_path / "ours.h5", theirs.values, theirs.obs_names, expert="scgpt", provenance=theirs.provenance
    )
    assert (tmp_path / "ours.h5").read_bytes() == (tmp_path / "data.scgpt.h5").read_bytes()
    arguments = [str(tmp_path / "data.h5ad"), "--check", "--out", str(tmp_path / "ours.h5")]
    assert script("scgpt").main(arguments) == 0


def test_what_a_model_leaves_out_is_named(start, monkeypatch, tmp_path, capsys):
    module = script("uce")
    read = module.read_embedded

    def without_the_last(path):
        names, values = read(path)
        return names[:-1], values[:-1]

    monkeypatch.setattr(module, "read_embedded", without_the_last)
    adata = make_counts(genes_of("uce"))
    assert start("uce", adata) == 2
    said = capsys.readouterr().err
    assert f"gave back 8 of 9 spots and dropped 1, such as {adata.obs_names[0]!r}" in said
    assert not (tmp_path / "data.uce.h5").exists()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full((9, 512), np.nan), "NaN or infinite values for 9 spots"),
        (np.ones((9, 512)), "the same vector for every spot"),
        (np.eye(9, 500), "gave 500 features and 512 are right"),
        (np.eye(8, 512), r"array of shape (8, 512) for 9 spots"),
    ],
)
def test_what_is_no_embedding_is_not_written(values, said, start, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(script("scgpt"), "embed", lambda counts, args: (values, {}))
    assert start("scgpt", make_counts(genes_of("scgpt"))) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "data.scgpt.h5").exists()


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("nicheformer", ["--technology-mean", "absent.npy"], "absent.npy cannot be read"),
        ("scfoundation", ["--device", "cpu"], "runs on a GPU alone"),
        ("scgpt", ["--weights", "nowhere"], "nowhere lacks best_model.pt, args.json, vocab.json"),
        ("uce", ["--layers", "4"], "lacks model_files/4layer_model.torch"),
    ],
)
def test_what_a_model_needs_is_named(name, arguments, said, start, capsys):
    assert start(name, make_counts(genes_of(name)), *arguments) == 2
    assert said in capsys.readouterr().err


def test_nicheformer_takes_no_mean_of_another_length(start, tmp_path, capsys):
    np.save(tmp_path / "short.npy", np.ones(5))
    assert (
        start("nicheformer", make_counts(genes_of("nicheformer")), "--technology-mean", str(tmp_path / "short.npy"))
        == 2
    )
    assert "shape (5,) and the model 620 genes" in capsys.readouterr().err


def test_nicheformer_takes_no_unknown_context(start, capsys):
    assert start("nicheformer", make_counts(genes_of("nicheformer")), "--assay", "CITE-seq") == 2
    assert "set no context tokens" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_script_and_registry_say_the_same(name):
    model, record = script(name).MODEL, EXPERTS[name]
    assert record.dimension == model.dimension
    assert record.runs == "own environment"
    assert record.revision in ("", "main", model.revision)
