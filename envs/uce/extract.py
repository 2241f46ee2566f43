"""Embed spots with Universal Cell Embeddings (Rosen et al. 2023) through its own evaluation package."""

import argparse
import contextlib
import csv
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import device_of, in_order, run, weights_of
from counts import Counts, InputProblem, check_counts, file_sha256, read_counts
from handover import Model

CHROMOSOMES = "model_files/species_chrom.csv"
FILES = (
    CHROMOSOMES,
    "model_files/species_offsets.pkl",
    "model_files/all_tokens.torch",
    "model_files/protein_embeddings",
)
CHECKPOINTS = {4: "model_files/4layer_model.torch", 33: "model_files/33l_8ep_1024t_1280.torch"}
MODEL = Model(
    name="uce",
    title="Universal Cell Embeddings",
    dimension=1280,
    genes="symbol",
    species=("human", "mouse", "zebrafish", "pig", "frog", "mouse_lemur", "macaca_fascicularis", "macaca_mulatta"),
    weights="folder that holds model_files/ with the token, species and model files of the authors",
    source="snap-stanford/UCE; files from the address in its README",
    revision="package uce-model 0.1.4; files not pinned, the sha256 of the model is written down",
    licence="MIT",
    pooling="the <cls> token of the last layer",
    packages=("uce-model", "torch"),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what only UCE has."""
    parser.add_argument("--layers", type=int, choices=tuple(CHECKPOINTS), default=33, help="4 and 33 do not compare")


def vocabulary(args: argparse.Namespace) -> Sequence[str]:
    """Return the genes of the species that have a place in the genome and a protein."""
    with (weights_of(args, CHROMOSOMES) / CHROMOSOMES).open(encoding="utf-8", newline="") as handle:
        return [row["gene_symbol"] for row in csv.DictReader(handle) if row["species"] == args.species]


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Change the working directory: the package finds its proteins relative to it."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def embed(counts: Counts, args: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Return (spot, feature) and provenance.

    The package leaves out spots and genes unless ``filter`` is False, and ``--filter False`` on its command line means
    True: it is set here.
    """
    checkpoint = CHECKPOINTS[args.layers]
    weights = weights_of(args, *FILES, checkpoint).resolve()
    import torch
    from accelerate import Accelerator
    from uce.eval_single_anndata import parser
    from uce.evaluate import AnndataProcessor

    known = {gene.upper() for gene in vocabulary(args)}
    used = counts.select([gene for gene in counts.genes if gene.upper() in known])
    check_counts(used)
    device = device_of(args)
    if device == "cpu" and torch.cuda.is_available():
        raise InputProblem("UCE takes the GPU that it sees: set CUDA_VISIBLE_DEVICES to nothing to run it on the CPU.")
    with tempfile.TemporaryDirectory() as name, working_in(weights):
        used.anndata().write_h5ad(f"{name}/spots.h5ad")
        asked = parser.parse_args(["--adata_path", f"{name}/spots.h5ad", "--dir", f"{name}/"])
        asked.species, asked.nlayers, asked.batch_size = args.species, args.layers, args.batch_size
        asked.model_loc, asked.filter, asked.skip = checkpoint, False, False
        processor = AnndataProcessor(asked, Accelerator(project_dir=name))
        processor.preprocess_anndata()
        processor.generate_idxs()
        processor.run_evaluation()
        obs_names, values = read_embedded(Path(name) / "spots_uce_adata.h5ad")
    details = {"weights_sha256": file_sha256(weights / checkpoint), "layers": args.layers, "device": device}
    return in_order(MODEL, obs_names, values, counts.obs_names), details


def read_embedded(path: Path) -> tuple[Sequence[str], Any]:
    """Return the names and embeddings of the file that the package writes."""
    import h5py

    with h5py.File(path, "r") as handle:
        return read_counts(path).obs_names, handle["obsm/X_uce"][...]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; the exit code."""
    return run(MODEL, embed, vocabulary=vocabulary, options=options, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
