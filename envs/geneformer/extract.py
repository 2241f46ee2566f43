"""Embed spots with Geneformer (Theodoris et al. 2023) through its own tokenizer and extractor."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import device_of, in_order, run, weights_of
from counts import Counts, file_sha256
from handover import Model

REPOSITORY = "ctheodoris/Geneformer"
REVISION = "04c2b2e84da7c0f385c3f9ad8f3ec24bab6650e5"
CHECKPOINT = "Geneformer-V2-104M"
MODEL = Model(
    name="geneformer",
    title=CHECKPOINT,
    dimension=768,
    genes="ensembl",
    species=("human",),
    weights=f"a clone of the hub repository that holds {CHECKPOINT}; fetched from the hub when left out",
    source=f"{REPOSITORY} on the Hugging Face hub",
    revision=REVISION,
    licence="Apache-2.0",
    pooling="the <cls> token of the last layer but one",
    packages=("geneformer", "torch", "transformers"),
)


def checkpoint(args: argparse.Namespace) -> Path:
    """Return the folder of the checkpoint, fetched at the pinned revision where none is given."""
    if args.weights:
        return weights_of(args, f"{CHECKPOINT}/config.json", f"{CHECKPOINT}/model.safetensors") / CHECKPOINT
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(REPOSITORY, revision=REVISION, allow_patterns=[f"{CHECKPOINT}/*"])) / CHECKPOINT


def embed(counts: Counts, args: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Return (spot, feature) and provenance.

    The extractor sorts spots by length and keeps 1000 of them by default: a number a spot travels along and brings
    them back into order.
    """
    import numpy as np
    from geneformer import EmbExtractor, TranscriptomeTokenizer

    folder, device = checkpoint(args), device_of(args)
    adata = counts.anndata()
    adata.var["ensembl_id"] = list(counts.genes)
    adata.obs["n_counts"] = np.asarray(adata.X.sum(axis=1)).ravel()
    adata.obs["row"] = range(adata.n_obs)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for part in ("data", "tokens", "embeddings"):
            (work / part).mkdir()
        adata.write_h5ad(work / "data" / "spots.h5ad")
        tokenizer = TranscriptomeTokenizer({"row": "row"}, nproc=1, model_version="V2")
        tokenizer.tokenize_data(str(work / "data"), str(work / "tokens"), "spots", file_format="h5ad")
        extractor = EmbExtractor(
            model_type="Pretrained",
            num_classes=0,
            emb_mode="cls",
            max_ncells=None,
            emb_layer=-1,
            emb_label=["row"],
            forward_batch_size=args.batch_size,
            nproc=1,
            model_version="V2",
        )
        table = extractor.extract_embs(
            str(folder), str(work / "tokens" / "spots.dataset"), str(work / "embeddings"), "spots"
        )
    names = [counts.obs_names[int(row)] for row in table["row"]]
    values = in_order(MODEL, names, table.drop(columns="row").to_numpy(dtype="float32"), counts.obs_names)
    return values, {"weights_sha256": file_sha256(folder / "model.safetensors"), "device": device}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; the exit code."""
    return run(MODEL, embed, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
