"""Embed spots with Nicheformer (Tejada-Lapuerta et al. 2025) through the model and tokenizer of its hub repository."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import device_of, run, weights_of
from counts import Counts, InputProblem, check_counts, file_sha256, read_counts
from handover import Model

REPOSITORY = "theislab/Nicheformer"
REVISION = "be5c172f50bddbe0468752cfb1dafc2b464629e6"
CONTEXT_TOKENS = 3
CONTEXT_IDS = range(3, 30)
ASSAYS = ("MERFISH", "cosmx", "Xenium", "10x 5' v2", "10x 3' v3", "10x 3' v2", "10x 5' v1", "10x 3' v1", "CITE-seq")
FILES = ("model.safetensors", "model.h5ad", "config.json")
MODEL = Model(
    name="nicheformer",
    title="Nicheformer 49M",
    dimension=512,
    genes="ensembl",
    species=("human", "mouse"),
    weights="a clone of the hub repository; fetched from the hub when left out. Its Python code is run",
    source=f"{REPOSITORY} on the Hugging Face hub",
    revision=REVISION,
    licence="MIT",
    pooling="mean of the last layer over all positions after the three context tokens",
    packages=("torch", "transformers"),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what only Nicheformer has."""
    parser.add_argument(
        "--assay", choices=ASSAYS, help="context token; spot arrays such as Visium have none of their own"
    )
    parser.add_argument("--modality", choices=("spatial", "dissociated"), default="spatial", help="context token")
    parser.add_argument(
        "--technology-mean",
        type=Path,
        help="data/model_means/<technology>_mean_script.npy of github.com/theislab/nicheformer",
    )


def folder(args: argparse.Namespace) -> Path:
    """Return the folder of the model, fetched at the pinned revision where none is given."""
    if args.weights:
        return weights_of(args, *FILES)
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(REPOSITORY, revision=REVISION))


def vocabulary(args: argparse.Namespace) -> Sequence[str]:
    """Return the genes of the reference, in the order that the tokens have."""
    return read_counts(folder(args) / "model.h5ad").genes


def embed(counts: Counts, args: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Return (spot, feature) and provenance.

    The tokenizer ignores, without a word, a missing context token (and the pooling then cuts off the best gene), an
    unknown one, and a technology mean of another length: all three are refused here.
    """
    import numpy as np

    if args.assay is None or args.technology_mean is None:
        raise InputProblem("Nicheformer needs --assay and --technology-mean: see --help for what to choose.")
    try:
        mean = np.load(args.technology_mean, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputProblem(f"The technology mean {args.technology_mean} cannot be read ({error}).") from error
    here = folder(args)
    genes = vocabulary(args)
    if mean.shape != (len(genes),):
        raise InputProblem(
            f"The technology mean has shape {mean.shape} and the model {len(genes)} genes: take its own."
        )
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    device = device_of(args)
    tokenizer = AutoTokenizer.from_pretrained(str(here), trust_remote_code=True)
    tokenizer.name_or_path = str(here)
    tokenizer._load_technology_mean(mean)
    model = AutoModelForMaskedLM.from_pretrained(str(here), trust_remote_code=True).eval().to(device)
    known = counts.select(genes)
    check_counts(known)
    adata = known.anndata()
    adata.obs["specie"], adata.obs["assay"], adata.obs["modality"] = args.species, args.assay, args.modality
    parts = []
    for start in range(0, adata.n_obs, args.batch_size):
        tokens = tokenizer(adata[start : start + args.batch_size].copy())
        context = tokens["input_ids"][:, :CONTEXT_TOKENS]
        if not ((context >= CONTEXT_IDS.start) & (context < CONTEXT_IDS.stop)).all():
            raise InputProblem("The tokenizer set no context tokens: the clone of the hub repository does not fit.")
        with torch.no_grad():
            batch = {key: tokens[key].to(device) for key in ("input_ids", "attention_mask")}
            parts.append(model.get_embeddings(**batch, layer=-1, with_context=False).float().cpu().numpy())
    details = {
        "weights_sha256": file_sha256(here / "model.safetensors"),
        "technology_mean": args.technology_mean.name,
        "technology_mean_sha256": file_sha256(args.technology_mean),
        "assay": args.assay,
        "modality": args.modality,
        "device": device,
    }
    return np.concatenate(parts), details


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; the exit code."""
    return run(MODEL, embed, vocabulary=vocabulary, options=options, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
