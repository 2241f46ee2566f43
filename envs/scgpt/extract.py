"""Embed spots with scGPT (Cui et al. 2024) through the task ``embed_data`` of its own package."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import device_of, run, weights_of
from counts import Counts, file_sha256
from handover import Model

FILES = ("best_model.pt", "args.json", "vocab.json")
MODEL = Model(
    name="scgpt",
    title="scGPT whole-human",
    dimension=512,
    genes="symbol",
    species=("human",),
    weights=f"folder of the whole-human checkpoint with {', '.join(FILES)}",
    source="bowang-lab/scGPT; checkpoint from the address in its README",
    revision="package scgpt 0.2.4; checkpoint not pinned, its sha256 is written down",
    licence="MIT",
    pooling="the <cls> token of the last layer, of length 1",
    packages=("scgpt", "torch"),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what only scGPT has."""
    parser.add_argument(
        "--max-length", type=int, default=1200, help="expressed genes seen of a spot, drawn beyond that"
    )
    parser.add_argument("--flash", action="store_true", help="use flash-attn 1, where it is installed")


def vocabulary(args: argparse.Namespace) -> Sequence[str]:
    """Return the genes that the checkpoint knows."""
    names = json.loads((weights_of(args, *FILES) / "vocab.json").read_text(encoding="utf-8"))
    return [name for name in names if not name.startswith("<")]


def embed(counts: Counts, args: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Return (spot, feature) and provenance."""
    weights = weights_of(args, *FILES)
    from scgpt.tasks import embed_data

    adata = counts.anndata()
    adata.X = adata.X.toarray()  # the package asks sparse matrices for ``.A``, which newer ones no longer have
    device = device_of(args)
    done = embed_data(
        adata,
        weights,
        gene_col="index",
        max_length=args.max_length,
        batch_size=args.batch_size,
        device=device,
        use_fast_transformer=args.flash,
    )
    details = {
        "weights_sha256": file_sha256(weights / "best_model.pt"),
        "max_length": args.max_length,
        "flash": args.flash,
        "device": device,
    }
    return done.obsm["X_scGPT"], details


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; the exit code."""
    return run(MODEL, embed, vocabulary=vocabulary, options=options, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
