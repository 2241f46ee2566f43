"""Stand-ins of the packages of the models: interface and traps of the real ones, a known sum for the network."""

import json
import pickle
import sys
import types
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from tests.envs.scripts import IDS, SYMBOLS, script, vector


def package(monkeypatch, name, **members):
    """Put a package of the given members in the place of one that is not installed."""
    module = types.ModuleType(name)
    module.__dict__.update(members)
    monkeypatch.setitem(sys.modules, name, module)


def scgpt(monkeypatch, folder):
    """``embed_data``: takes no sparse matrix, keeps the genes of the vocabulary."""
    vocabulary = ["<pad>", "<cls>", *SYMBOLS]
    (folder / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(vocabulary)}), encoding="utf-8")
    (folder / "args.json").write_text("{}", encoding="utf-8")
    (folder / "best_model.pt").write_bytes(b"weights")

    def embed_data(adata, model_dir, *, gene_col, max_length, batch_size, device, use_fast_transformer):
        assert isinstance(adata.X, np.ndarray)
        assert (gene_col, max_length, use_fast_transformer) == ("index", 1200, False)
        known = adata[:, [gene for gene in SYMBOLS if gene in adata.var_names]].copy()
        known.obsm["X_scGPT"] = vector(by_name(known, SYMBOLS), "scgpt")
        return known

    package(monkeypatch, "scgpt")
    package(monkeypatch, "scgpt.tasks", embed_data=embed_data)
    return []


def geneformer(monkeypatch, folder):
    """A tokenizer that wants ``ensembl_id`` and ``n_counts``, an extractor that sorts by length and keeps 1000."""
    checkpoint = folder / "Geneformer-V2-104M"
    checkpoint.mkdir()
    (checkpoint / "config.json").write_text("{}", encoding="utf-8")
    save_file({"a": np.ones(2)}, checkpoint / "model.safetensors")

    class TranscriptomeTokenizer:
        def __init__(self, custom_attr_name_dict, *, nproc, model_version):
            assert model_version == "V2"
            self.kept = custom_attr_name_dict

        def tokenize_data(self, data, out, prefix, *, file_format):
            (path,) = Path(data).glob(f"*.{file_format}")
            adata = anndata.read_h5ad(path)
            np.testing.assert_array_equal(adata.obs["n_counts"], adata.X.toarray().sum(axis=1))
            adata.var_names = adata.var["ensembl_id"].to_numpy()
            table = {new: adata.obs[old].tolist() for old, new in self.kept.items()}
            with (Path(out) / f"{prefix}.dataset").open("wb") as handle:
                pickle.dump((by_name(adata, IDS), table), handle)

    class EmbExtractor:
        def __init__(self, *, max_ncells=1000, emb_label, emb_mode, model_version, **rest):
            assert (emb_mode, model_version, max_ncells) == ("cls", "V2", None)
            self.max_ncells, self.labels = max_ncells, emb_label

        def extract_embs(self, model, data, out, prefix):
            assert Path(model).name == "Geneformer-V2-104M"
            with Path(data).open("rb") as handle:
                counts, table = pickle.load(handle)
            order = np.argsort(-(counts > 0).sum(axis=1), kind="stable")[: self.max_ncells]
            frame = pd.DataFrame(vector(counts, "geneformer")[order])
            for label in self.labels:
                frame[label] = np.array(table[label])[order]
            return frame

    package(monkeypatch, "geneformer", TranscriptomeTokenizer=TranscriptomeTokenizer, EmbExtractor=EmbExtractor)
    return []


GET_EMBEDDING = """
import argparse, sys
from pathlib import Path
import numpy as np
import scipy.sparse
parser = argparse.ArgumentParser()
for name in ("task_name input_type output_type pool_type tgthighres data_path save_path pre_normalized version "
             "ckpt_name").split():
    parser.add_argument("--" + name)
args = parser.parse_args()
assert Path("./models/models.ckpt").is_file() and Path("./OS_scRNA_gene_index.19264.tsv").is_file()
assert (args.output_type, args.pool_type, args.version, args.pre_normalized) == ("cell", "all", "ce", "F")
counts = scipy.sparse.load_npz(args.data_path).toarray()
assert counts.shape[1] == len(Path("./OS_scRNA_gene_index.19264.tsv").read_text().splitlines()) - 1
weights = np.random.default_rng(7).normal(size=(counts.shape[1], 3072))
values = np.squeeze((counts.astype(np.float64) @ weights / 100).astype(np.float32)[:, None])
name = "_".join((args.task_name, args.ckpt_name, args.input_type, args.output_type, "embedding", args.tgthighres))
np.save(args.save_path + "/" + name + "_resolution.npy", values)
"""


def scfoundation(monkeypatch, folder):
    """A script that reads a matrix without names, from its own folder, and squeezes what it saves."""
    model = folder / "model"
    (model / "models").mkdir(parents=True)
    (model / "models" / "models.ckpt").write_bytes(b"weights")
    (model / "get_embedding.py").write_text(GET_EMBEDDING, encoding="utf-8")
    lines = ["gene_name\tindex", *(f"{gene}\t{i}" for i, gene in enumerate(SYMBOLS))]
    (model / "OS_scRNA_gene_index.19264.tsv").write_text("\n".join(lines), encoding="utf-8")
    return []


def scprint(monkeypatch, folder):
    """A preprocessor that leaves out spots unless told, an embedder that writes into the working directory."""
    import torch

    torch.save({"hyper_parameters": {"prenorm": True, "label_counts": {"sex": 2}}}, folder / "medium.ckpt")

    class Preprocessor:
        def __init__(self, *, is_symbol, min_nnz_genes=200, min_dataset_size=100, min_valid_genes_id=10_000, **rest):
            assert is_symbol
            self.fewest = (min_nnz_genes or 0, min_dataset_size, min_valid_genes_id)

        def __call__(self, adata):
            assert set(adata.obs["organism_ontology_term_id"]) == {"NCBITaxon:9606"}
            n_genes = (adata.X > 0).sum(axis=1).A1 if hasattr((adata.X > 0).sum(axis=1), "A1") else (adata.X > 0).sum(1)
            assert adata.n_obs >= self.fewest[1]
            assert adata.n_vars >= self.fewest[2]
            return adata[np.asarray(n_genes).ravel() >= self.fewest[0]].copy()

    class Network:
        genes, organisms, removed = ["a", "b"], ["NCBITaxon:9606"], None

        @classmethod
        def load_from_checkpoint(cls, path, *, map_location, precpt_gene_emb, transformer, classes):
            assert "prenorm" not in torch.load(path)["hyper_parameters"]
            assert (transformer, classes) == ("normal", {"sex": 2})
            return cls()

        def _rm_genes(self, genes):
            self.removed = genes

        def to(self, device):
            return self

        def eval(self):
            return self

    class Embedder:
        def __init__(self, *, how="random expr", doclass=True, **rest):
            assert (how, doclass) == ("most expr", False)

        def __call__(self, model, adata):
            assert model.removed == {"b"}
            Path("data").mkdir()
            Path("data/step_0.h5ad").touch()
            adata.obsm["scprint_emb"] = vector(by_name(adata, SYMBOLS), "scprint")
            return adata, {}

    package(monkeypatch, "scdataloader", Preprocessor=Preprocessor)
    package(monkeypatch, "scdataloader.utils", load_genes=lambda organisms: pd.DataFrame(index=["a"]))
    package(monkeypatch, "scprint", scPrint=Network)
    package(monkeypatch, "scprint.tasks", Embedder=Embedder)
    return []


def nicheformer(monkeypatch, folder):
    """A tokenizer that ignores without a word what does not fit."""
    import torch

    reference = anndata.AnnData(np.zeros((1, len(IDS)), np.float32), var=pd.DataFrame(index=list(IDS)))
    reference.write_h5ad(folder / "model.h5ad")
    (folder / "config.json").write_text("{}", encoding="utf-8")
    save_file({"a": np.ones(2)}, folder / "model.safetensors")
    np.save(folder / "mean.npy", np.ones(len(IDS)))
    known = {"human": 5, "mouse": 6, "Xenium": 9, "spatial": 4}

    class Tokenizer:
        def _load_technology_mean(self, mean):
            self.mean = mean

        def __call__(self, adata):
            assert list(adata.var_names) == list(IDS)
            context = [adata.obs[key].map(known).to_numpy() for key in ("specie", "assay", "modality")]
            tokens = np.column_stack([*context, adata.X.toarray() / self.mean])
            return {"input_ids": torch.tensor(tokens), "attention_mask": torch.ones(tokens.shape)}

    class Network:
        def eval(self):
            return self

        def to(self, device):
            return self

        def get_embeddings(self, *, input_ids, attention_mask, layer, with_context):
            assert (layer, with_context) == (-1, False)
            return torch.tensor(vector(input_ids[:, 3:].numpy(), "nicheformer"))

    def loader(what):
        def from_pretrained(path, *, trust_remote_code):
            assert Path(path) == folder
            return what()

        return types.SimpleNamespace(from_pretrained=from_pretrained)

    package(monkeypatch, "transformers", AutoTokenizer=loader(Tokenizer), AutoModelForMaskedLM=loader(Network))
    return ["--assay", "Xenium", "--technology-mean", str(folder / "mean.npy")]


def uce(monkeypatch, folder):
    """A processor that leaves out spots unless ``filter`` is False and finds its proteins in the working directory."""
    files = folder / "model_files"
    (files / "protein_embeddings").mkdir(parents=True)
    for name in ("species_offsets.pkl", "all_tokens.torch", "33l_8ep_1024t_1280.torch"):
        (files / name).write_bytes(b"weights")
    rows = ["species,gene_symbol,chromosome,start", *(f"human,{gene},1,{i}" for i, gene in enumerate(SYMBOLS))]
    (files / "species_chrom.csv").write_text("\n".join([*rows, "mouse,GENX,1,1"]), encoding="utf-8")

    def parse_args(words):
        given = dict(zip(words[::2], words[1::2], strict=True))
        assert set(given) == {"--adata_path", "--dir"}
        return types.SimpleNamespace(adata_path=given["--adata_path"], dir=given["--dir"], filter=True, skip=True)

    class AnndataProcessor:
        def __init__(self, args, accelerator):
            assert (args.filter, args.skip, args.nlayers, args.species) == (False, False, 33, "human")
            assert Path(args.model_loc).is_file()
            assert Path("model_files/protein_embeddings").is_dir()
            self.args = args

        def preprocess_anndata(self):
            self.adata = anndata.read_h5ad(self.args.adata_path)

        def generate_idxs(self):
            assert set(self.adata.var_names) <= set(SYMBOLS)

        def run_evaluation(self):
            back = self.adata[::-1].copy()
            back.obsm["X_uce"] = vector(by_name(back, SYMBOLS), "uce")
            back.write_h5ad(self.args.dir + "spots_uce_adata.h5ad")

    package(monkeypatch, "accelerate", Accelerator=lambda project_dir: None)
    package(monkeypatch, "uce")
    package(monkeypatch, "uce.eval_single_anndata", parser=types.SimpleNamespace(parse_args=parse_args))
    package(monkeypatch, "uce.evaluate", AnndataProcessor=AnndataProcessor)
    return []


def by_name(adata, genes):
    """Return counts in the order of genes, absent ones 0."""
    frame = pd.DataFrame(adata.X.toarray() if hasattr(adata.X, "toarray") else adata.X, columns=adata.var_names)
    return frame.reindex(columns=list(genes), fill_value=0).to_numpy()


MAKE = {f.__name__: f for f in (scgpt, geneformer, scfoundation, scprint, nicheformer, uce)}
CPU = {name: ["--device", "cpu"] for name in MAKE if name != "scfoundation"}


def install(name, monkeypatch, folder):
    """Put a stand-in in place; return the arguments that the script needs for it."""
    folder.mkdir()
    extra = MAKE[name](monkeypatch, folder)
    assert script(name).MODEL.name == name
    return ["--weights", str(folder), *CPU.get(name, []), *extra]
