"""Embed spots with scPRINT (Kalfon et al. 2025) through the ``Embedder`` of its own package."""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import device_of, in_order, run, weights_of
from counts import Counts, file_sha256, kind_of
from handover import Model

TAXA = {"human": "NCBITaxon:9606", "mouse": "NCBITaxon:10090"}
REPOSITORY = "jkobject/scPRINT"
REVISION = "c1e1f3d864b1d214fc61b4c95552c82ffe57211f"
CHECKPOINT = "medium.ckpt"
MODEL = Model(
    name="scprint",
    title="scPRINT medium",
    dimension=256,
    genes="either",
    species=("human", "mouse"),
    weights=f"folder that holds {CHECKPOINT}; fetched from the hub when left out",
    source=f"{REPOSITORY} on the Hugging Face hub",
    revision=REVISION,
    licence="code MIT; checkpoint Apache-2.0",
    pooling="mean of the cell embeddings for cell type, disease, ethnicity and sex",
    packages=("scprint", "scdataloader", "torch"),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what only scPRINT has."""
    parser.add_argument("--max-length", type=int, default=2000, help="most expressed genes seen of a spot")


def checkpoint(args: argparse.Namespace) -> Path:
    """Return the checkpoint, fetched at the pinned revision where no folder is given."""
    if args.weights:
        return weights_of(args, CHECKPOINT) / CHECKPOINT
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(REPOSITORY, CHECKPOINT, revision=REVISION))


def load(path: Path, device: str, folder: Path) -> tuple[Any, int]:
    """Return the model and how many of its genes have left the ontology since; what its own command does likewise."""
    import torch
    from scdataloader.utils import load_genes
    from scprint import scPrint

    state = torch.load(path, map_location="cpu")
    hyper = state["hyper_parameters"]
    classes = {"classes": hyper["label_counts"]} if "label_counts" in hyper else {}
    if hyper.pop("prenorm", None) is not None:  # an argument that the package no longer has
        path = folder / CHECKPOINT
        torch.save(state, path)
    transformer = "flash" if device == "cuda" else "normal"
    model = scPrint.load_from_checkpoint(
        str(path), map_location=device, precpt_gene_emb=None, transformer=transformer, **classes
    )
    unknown = set(model.genes) - set(load_genes(model.organisms).index)
    if unknown:
        model._rm_genes(unknown)
    return model.to(device).eval(), len(unknown)


def embed(counts: Counts, args: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Return (spot, feature) and provenance.

    The preprocessor leaves out spots with few genes by default, and the embedder draws genes: both are told not to.
    """
    import torch
    from scdataloader import Preprocessor
    from scprint.tasks import Embedder

    path, device = checkpoint(args), device_of(args)
    adata = counts.anndata()
    adata.obs["organism_ontology_term_id"] = TAXA[args.species]
    clean = Preprocessor(
        is_symbol=kind_of(counts.genes) == "symbol",
        min_nnz_genes=False,
        min_dataset_size=1,
        min_valid_genes_id=MODEL.min_shared,
        skip_validate=True,
        do_postp=False,
    )
    embedder = Embedder(
        batch_size=args.batch_size,
        num_workers=1,
        how="most expr",
        max_len=args.max_length,
        doclass=False,
        doplot=False,
        dtype=torch.float16 if device == "cuda" else torch.float32,
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # it writes into the working directory
        model, n_left_out = load(path.resolve(), device, Path(folder))
        done, _ = embedder(model, clean(adata))
    values = in_order(MODEL, list(done.obs_names), done.obsm["scprint_emb"], counts.obs_names)
    details = {
        "weights_sha256": file_sha256(path),
        "max_length": args.max_length,
        "n_genes_left_out": n_left_out,
        "device": device,
    }
    return values, details


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; the exit code."""
    return run(MODEL, embed, options=options, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
