"""``beyond-alignment embed``: the embedding of a frozen expert, into one's own data."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from beyond_alignment.cli.book import Device
from beyond_alignment.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData


class Edge(StrEnum):
    """What becomes of a patch that reaches over the edge."""

    pad = "pad"
    drop = "drop"


class Precision(StrEnum):
    """Numbers that the model computes with."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"


DATA = typer.Argument(metavar="DATA", help="An .h5ad file, or a folder of HEST-1k, Visium or Xenium.")
EXPERT = typer.Option("--expert", help="Its name: see `beyond-alignment experts`.")
WEIGHTS = typer.Option("--weights", dir_okay=False, help="A file of weights of your own.")
IMAGE = typer.Option("--image", help="Full-resolution image, where the data do not name it.")
SCALE = typer.Option("--microns-per-pixel", help="Of full resolution, where neither data nor image state it.")
FIELD = typer.Option("--field-of-view-um", help="Width of the square of tissue; the expert's own by default.")
FROM_FILE = typer.Option("--from-file", dir_okay=False, help="A file that an expert in its own environment wrote.")
OUT = typer.Option("--out", help="Where to write; the .h5ad itself, or <folder>.h5ad, by default.")
CACHE = typer.Option("--cache/--no-cache", help="Keep batches, so that a run that is stopped goes on there.")
BATCH = typer.Option("--batch-size", min=1, help="Patches, or spots, at a time.")
WORKERS = typer.Option("--workers", min=0, help="Threads that cut patches; chosen by default.")


def embed(
    data: Annotated[Path, DATA],
    expert: Annotated[str, EXPERT],
    weights: Annotated[Path | None, WEIGHTS] = None,
    image: Annotated[Path | None, IMAGE] = None,
    microns_per_pixel: Annotated[float | None, SCALE] = None,
    field_of_view_um: Annotated[float | None, FIELD] = None,
    from_file: Annotated[Path | None, FROM_FILE] = None,
    edge: Annotated[Edge, typer.Option("--edge", help="Squares over the edge of the image.")] = Edge.pad,
    device: Annotated[
        Device, typer.Option("--device", envvar="BEYOND_ALIGNMENT_DEVICE", help="Where to compute.")
    ] = Device.auto,
    precision: Annotated[Precision, typer.Option("--precision", help="bfloat16 on a GPU.")] = Precision.auto,
    batch_size: Annotated[int, BATCH] = 64,
    workers: Annotated[int | None, WORKERS] = None,
    cache: Annotated[bool, CACHE] = True,
    out: Annotated[Path | None, OUT] = None,
) -> None:
    """Add the embedding of a frozen expert to data, with what made it."""
    from beyond_alignment.experts.registry import get_expert

    record = get_expert(expert)
    target = _target(data, out)
    picture = {
        "--image": image, "--microns-per-pixel": microns_per_pixel, "--field-of-view-um": field_of_view_um
    }  # fmt: skip
    if from_file is not None or record.modality == "expression":
        given = [name for name, value in picture.items() if value is not None]
        if given:
            raise InputError(f"{' and '.join(given)} belong to experts of morphology; leave them out.")
    adata = _read(data)
    notes: list[str] = []
    if from_file is not None:
        name = _attach(adata, from_file, record.name)
    elif record.runs != "here":
        raise InputError(
            f"{record.name} runs in its own environment: extract there (see envs), then give its file with --from-file."
        )
    elif record.modality == "expression":
        options = {"weights": weights, "device": device.value, "batch_size": batch_size}
        name = _expression(adata, record.name, options)
    else:
        from beyond_alignment.datasets.fetch import cache_folder
        from beyond_alignment.experts.loading import load_morphology
        from beyond_alignment.experts.tissue_embedding import embed_tissue

        found = embed_tissue(
            adata, model=load_morphology(record.name, weights=weights, device=device.value), image=image,
            microns_per_pixel=microns_per_pixel, field_of_view_um=field_of_view_um, edge=edge.value,
            base=data.resolve() if data.is_dir() else data.resolve().parent, device=device.value,
            precision=precision.value, batch_size=batch_size, workers=workers, progress=sys.stderr.isatty(),
            cache_dir=cache_folder() / "embeddings" if cache else None,
        )  # fmt: skip
        adata, name = found.adata, found.name
        counts = {"padded at the edge": found.n_padded, "dropped": found.n_dropped, "from the cache": found.n_cached}
        notes = [f"{count} {what}" for what, count in counts.items() if count]
        for note in found.notes:
            typer.echo(f"Note: {note}", err=True)
    _write(adata, target)
    shape = " x ".join(f"{size:,}" for size in adata.obsm[f"X_{name}"].shape)
    typer.echo(f"Written: {target}, obsm['X_{name}'] {shape}{''.join(f', {note}' for note in notes)}.")


def _target(data: Path, out: Path | None) -> Path:
    """Return where to write, checked before an hour is spent."""
    if not data.exists():
        raise InputError(f"There is no {data}: give an .h5ad file, or a folder of HEST-1k, Visium or Xenium.")
    if out is None and data.is_dir():
        out = data.resolve().with_name(f"{data.resolve().name}.h5ad")
        if out.exists():
            raise InputError(f"{out} is there already: embed that file to add to it, or give --out.")
    target = out or data
    parent = next(folder for folder in target.resolve().parents if folder.exists())
    if target.is_dir() or not parent.is_dir():
        raise InputError(f"{target} cannot be written: it is a folder, or lies below a file; give another --out.")
    return target


def _read(data: Path) -> "AnnData":
    """Read the data."""
    import anndata

    from beyond_alignment.datasets.folders import read_folder
    from beyond_alignment.datasets.h5ad import open_h5ad
    from beyond_alignment.datasets.sparse_tables import check_sparse_tables

    if data.is_dir():
        return read_folder(data)
    with open_h5ad(data):
        pass  # a file that is none gets its sentence here
    try:
        check_sparse_tables(data)
        return anndata.read_h5ad(data)
    except Exception as error:  # damage shows in as many ways as there are bytes
        raise InputError(
            f"{data} cannot be read as .h5ad ({type(error).__name__}): the file may be damaged."
        ) from error


def _attach(adata: "AnnData", file: Path, expert: str) -> str:
    """Attach embeddings that were made elsewhere."""
    from beyond_alignment.experts.embedding_file import attach_embedding, read_embedding_file

    read = read_embedding_file(file)
    if read.expert != expert:
        raise InputError(
            f"{file} holds embeddings of {read.expert}, not of {expert}: give the file that belongs to it."
        )
    attach_embedding(adata, read)
    return expert


def _expression(adata: "AnnData", expert: str, options: dict[str, Any]) -> str:
    """Embed the counts with an expert of expression."""
    from beyond_alignment.experts.embed import embed_expression, embed_gene_transformer

    if expert == "hallmark":
        embed_expression(adata)
    elif expert == "gene_transformer":
        embed_gene_transformer(adata, **options)
    else:
        raise InputError(f"{expert} is fitted on the training spots of each fold, not here: choose another expert.")
    return expert


def _write(adata: "AnnData", target: Path) -> None:
    """Write the data whole or not at all."""
    from beyond_alignment.files import atomic_path

    try:
        with atomic_path(target) as temporary:
            adata.write_h5ad(temporary, compression="gzip")
    except (OSError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{target} cannot be written ({reason}); nothing was changed.") from error
