"""Embed spots with scFoundation (Hao et al. 2024) through the script of its own repository, which needs a GPU."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import run, weights_of
from counts import Counts, InputProblem, check_counts, file_sha256
from handover import Model

SCRIPT, GENES, WEIGHTS = "model/get_embedding.py", "model/OS_scRNA_gene_index.19264.tsv", "model/models/models.ckpt"
MODEL = Model(
    name="scfoundation",
    title="scFoundation 100M (01B-resolution)",
    dimension=3072,
    genes="symbol",
    species=("human",),
    weights=f"a clone of the repository with the weights put at {WEIGHTS}",
    source="biomap-research/scFoundation; weights from the address in its model/README.md",
    revision="69b0710660aded7e071d4f67e9f3ac03b096e587 of the code; weights not pinned, their sha256 is written down",
    licence="code Apache-2.0; weights under their own MODEL_LICENSE",
    pooling="the two read-depth tokens, the maximum and the mean over the genes, side by side",
    packages=("torch",),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what only scFoundation has."""
    parser.add_argument("--depth", default="t4", help="read depth to embed at: t4 is 10^4 counts, f1 that of the spot")


def vocabulary(args: argparse.Namespace) -> Sequence[str]:
    """Return the genes that the model knows, in the order that it wants."""
    lines = (weights_of(args, SCRIPT, GENES) / GENES).read_text(encoding="utf-8").splitlines()
    column = lines[0].split("\t").index("gene_name")
    return [line.split("\t")[column] for line in lines[1:]]


def embed(counts: Counts, args: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Return (spot, feature) and provenance.

    The script adds absent genes only where the data has fewer genes than the model: it is given exactly its own, in
    its own order.
    """
    import numpy as np
    from scipy import sparse

    if args.device == "cpu":
        raise InputProblem("The script of scFoundation runs on a GPU alone: leave --device out on a machine with one.")
    clone = weights_of(args, SCRIPT, GENES, WEIGHTS)
    genes = vocabulary(args)
    known = counts.select(genes)
    check_counts(known)
    with tempfile.TemporaryDirectory() as name:
        sparse.save_npz(Path(name) / "counts.npz", known.values)
        asked = {
            "task_name": "spots",
            "input_type": "singlecell",
            "output_type": "cell",
            "pool_type": "all",
            "tgthighres": args.depth,
            "data_path": f"{name}/counts.npz",
            "save_path": name,
            "pre_normalized": "F",
            "version": "ce",
            "ckpt_name": "01B-resolution",
        }
        words = [word for key, value in asked.items() for word in (f"--{key}", value)]
        script = (clone / SCRIPT).resolve()
        done = subprocess.run([sys.executable, str(script), *words], cwd=script.parent, check=False)
        written = list(Path(name).glob("spots_*_embedding_*.npy"))
        if done.returncode or len(written) != 1:
            raise InputProblem(f"{SCRIPT} ended with {done.returncode} and wrote no embedding: see its words above.")
        values = np.load(written[0], allow_pickle=False).reshape(len(counts.obs_names), -1)
    details = {"weights_sha256": file_sha256(clone / WEIGHTS), "depth": args.depth, "device": "cuda"}
    return values, details


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; the exit code."""
    return run(MODEL, embed, vocabulary=vocabulary, options=options, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
