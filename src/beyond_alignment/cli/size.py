"""``beyond-alignment size``: what a fit of each method costs on data of a size, in minutes and memory."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from beyond_alignment.cli.book import Device
from beyond_alignment.errors import InputError

ROWS = typer.Option("--rows", min=100, help="Spots; repeatable.")
FEATURES = typer.Option("--features", help="Features of both embeddings.")
METHOD = typer.Option("--method", help="A fusion method; repeatable. The contestants of page 06 when left out.")
OUT = typer.Option("--out", file_okay=False, help="Folder of the table and of the finished points.")


def size(
    rows: Annotated[list[int] | None, ROWS] = None,
    features: Annotated[tuple[int, int], FEATURES] = (1536, 512),
    method: Annotated[list[str] | None, METHOD] = None,
    device: Annotated[Device, typer.Option("--device", help="Where networks are trained.")] = Device.cpu,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Of each fit.")] = 1,
    out: Annotated[Path | None, OUT] = None,
) -> None:
    """Measure one fit of each method on drawn embeddings, 71,000 x (1,536 + 512) when nothing is said; resumable."""
    from rich.console import Console
    from rich.table import Table

    from beyond_alignment.benchmark import CONTESTANTS, PointStore, size_study
    from beyond_alignment.files import atomic_path
    from beyond_alignment.fusion import FUSION_METHODS
    from beyond_alignment.project import root

    methods = method or list(CONTESTANTS)
    if unknown := [name for name in methods if name not in FUSION_METHODS]:
        raise InputError(f"There is no fusion method {unknown[0]!r}; known are {', '.join(FUSION_METHODS)}.")
    if min(features) < 2:
        raise InputError(f"{features[0]} and {features[1]} features: give 2 or more of each embedding.")
    folder = root() / "executed" / "size" if out is None else out
    if not next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists()).is_dir():
        raise InputError(f"{folder} cannot be written: it lies below a file; give another folder.")
    found = size_study(
        [(n, *features) for n in rows or [71_000]], methods, device=device.value, threads=threads,
        store=PointStore(folder / "points"), progress=sys.stderr.isatty(),
    )  # fmt: skip
    with atomic_path(folder / "sizes.csv") as temporary:
        found.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    table = Table(box=None)
    for name in ("spots", "features", "method", "minutes", "memory"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for row in found.to_dict(orient="records"):
        spots, wide = f"{row['n']:,}", f"{row['features_1']:,} + {row['features_2']:,}"
        table.add_row(spots, wide, row["method"], f"{row['seconds'] / 60:.2f}", f"{row['peak_gb']:.1f} GB")
    Console().print(table)
    typer.echo(f"Written: {folder / 'sizes.csv'}")
