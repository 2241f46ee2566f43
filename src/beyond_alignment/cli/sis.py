"""``beyond-alignment sis``: what two embeddings tell about a label, on one's own data."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from beyond_alignment.cli.book import Device
from beyond_alignment.errors import InputError

if TYPE_CHECKING:
    from beyond_alignment.cli.sis_answer import SisAnswer
    from beyond_alignment.cli.sis_samples import OwnSamples

FILE = typer.Argument(metavar="FILE", help="An .h5ad file; its counts are not loaded.")
FIRST = typer.Option("--first", help="First embedding: a key of obsm.")
SECOND = typer.Option("--second", help="Second embedding: a key of obsm.")
LABEL = typer.Option("--label", help="Column of obs, or key of obsm for a composition.")
GROUPS = typer.Option("--groups", help="Column of obs that folds keep whole: the donor or the section.")
BLOCKS = typer.Option("--blocks", help="Column of obs that the bootstrap resamples: spatial blocks.")
BLOCK_UM = typer.Option("--block-um", min=1, help="Instead of --blocks: side of square blocks, microns.")
METHOD = typer.Option("--method", help="posterior, or for comparison cvx, batch, gaussian.")
CLASSES = typer.Option("--classes", min=2, help="Into how many classes numbers or a composition are made.")
HTML = typer.Option("--html", dir_okay=False, help="Write a report that is one file.")
JSON = typer.Option("--json", dir_okay=False, help="Write all numbers as JSON.")


def sis(
    file: Annotated[Path, FILE],
    first: Annotated[str, FIRST],
    second: Annotated[str, SECOND],
    label: Annotated[str, LABEL],
    groups: Annotated[str | None, GROUPS] = None,
    blocks: Annotated[str | None, BLOCKS] = None,
    block_um: Annotated[float | None, BLOCK_UM] = None,
    method: Annotated[str, METHOD] = "posterior",
    classes: Annotated[int | None, CLASSES] = None,
    folds: Annotated[int, typer.Option("--folds", min=2, help="Folds of the cross-fitting.")] = 5,
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=20, help="Bootstrap replicates.")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of everything that draws.")] = 0,
    device: Annotated[
        Device, typer.Option("--device", envvar="BEYOND_ALIGNMENT_DEVICE", help="Where to compute.")
    ] = Device.auto,
    html: Annotated[Path | None, HTML] = None,
    json: Annotated[Path | None, JSON] = None,
) -> None:
    """Decompose what two embeddings tell about a label, and recommend how to use them."""
    from rich.console import Console

    from beyond_alignment.cli.sis_console import show
    from beyond_alignment.cli.sis_report import write_answer
    from beyond_alignment.cli.sis_samples import read_samples
    from beyond_alignment.datasets.h5ad import open_h5ad
    from beyond_alignment.information.estimate import PID_ESTIMATORS

    _check_outputs(file, html, json)
    if method not in PID_ESTIMATORS:
        raise InputError(f"There is no method {method!r}; choose one of {', '.join(PID_ESTIMATORS)}.")
    with open_h5ad(file) as opened:
        own = read_samples(
            opened, first=first, second=second, label=label, groups=groups, blocks=blocks, block_um=block_um
        )
    inputs = {
        "file": str(file),
        "first": own.names[0],
        "second": own.names[1],
        "label": own.names[2],
        "groups": groups,
        "blocks": blocks,
        "block_um": block_um,
    }
    settings = {"method": method, "folds": folds, "bootstrap": bootstrap, "seed": seed, "classes": classes}
    answer = _answer(own, inputs, settings, device)
    write_answer(answer, html=html, json=json)
    show(answer, Console())
    for path in filter(None, (html, json)):
        typer.echo(f"Written: {path}")


def _check_outputs(file: Path, *outputs: Path | None) -> None:
    """Check that what is to be written has a place, before an hour is spent."""
    wanted = [path for path in outputs if path is not None]
    places = [path.resolve() for path in (file, *wanted)]
    if len(set(places)) < len(places):
        raise InputError("The input, --html and --json must be different files; nothing was written.")
    for path in wanted:
        parent = next(folder for folder in path.resolve().parents if folder.exists())
        if path.is_dir() or not parent.is_dir():
            raise InputError(f"{path} cannot be written: it is a folder, or lies below a file; give another path.")


def _answer(own: "OwnSamples", inputs: dict[str, Any], settings: dict[str, Any], device: Device) -> "SisAnswer":
    """Check, estimate and recommend."""
    import numpy as np

    from beyond_alignment.cli.sis_answer import SisAnswer
    from beyond_alignment.cli.sis_console import working
    from beyond_alignment.information.advice import recommend_strategy
    from beyond_alignment.information.estimate import estimate_pid
    from beyond_alignment.information.samples import check_samples

    folds, classes, seed = settings["folds"], settings["classes"], settings["seed"]
    ours = settings["method"] == "posterior"
    terminal = sys.stderr.isatty()
    options = {"n_folds": folds, "device": device.value, "progress": terminal} if ours else {}
    with working("checking"):
        samples = check_samples(
            own.x1, own.x2, own.y, own.groups,
            blocks=own.blocks, n_folds=folds if ours else 2, n_classes=classes, seed=seed, names=own.names,
        )  # fmt: skip
    y = own.y if classes is None else np.array(samples.classes, dtype=object)[samples.codes]
    with nullcontext() if ours else working(f"estimating from {samples.n:,} samples"):
        estimate = estimate_pid(
            samples.x1, samples.x2, y, own.groups,
            method=settings["method"], blocks=own.blocks, seed=seed, n_bootstrap=settings["bootstrap"], **options,
        )  # fmt: skip
    compared = [] if ours else [f"{settings['method']!r} is here for comparison; decide by 'posterior'."]
    counts = np.bincount(samples.codes)
    as_numbers = settings["method"] == "gaussian" and classes is None and not samples.target_note.startswith("labels")
    return SisAnswer(
        inputs=inputs,
        settings=settings,
        estimate=estimate,
        strategy=recommend_strategy(estimate, names=own.names[:2]),
        warnings=tuple(dict.fromkeys((*compared, *own.notes, *samples.notes, *estimate.warnings))),
        target_note="numbers, taken as jointly Gaussian" if as_numbers else samples.target_note,
        made_from=own.made_from,
        counts={name: int(count) for name, count in zip(samples.classes, counts, strict=True)},
        dimensions=(samples.x1.shape[1], samples.x2.shape[1]),
    )
