"""``beyond-alignment sis``: what two embeddings tell about a label, on one's own data."""

import os
import sys
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
GROUPS = typer.Option("--groups", help="Column of obs that is held out and conditioned on: the donor.")
BLOCKS = typer.Option("--blocks", help="Column of obs that the bootstrap resamples: spatial blocks.")
NULL = typer.Option("--null", min=0, help="Refits with shuffled labels, each as long as the answer; 0 for none.")
FOLDS = typer.Option("--folds", min=2, help="Folds of the cross-fitting, of the method posterior alone: 5.")
POWER = typer.Option("--smallest-effect", help="Also plant synergy on these embeddings: how little is found?")
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
    folds: Annotated[int | None, FOLDS] = None,
    null: Annotated[int, NULL] = 19,
    bootstrap: Annotated[int, typer.Option("--bootstrap", min=20, help="Bootstrap replicates.")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of everything that draws.")] = 0,
    device: Annotated[
        Device, typer.Option("--device", envvar="BEYOND_ALIGNMENT_DEVICE", help="Where to compute.")
    ] = Device.auto,
    smallest_effect: Annotated[bool, POWER] = False,
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
    for name, given in (("--folds", folds is not None), ("--smallest-effect", smallest_effect)):
        if given and method != "posterior":
            raise InputError(f"{name} is for the method posterior, not for {method}; leave it out.")
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
    folds = (folds or 5) if method == "posterior" else None
    settings = {
        "method": method,
        "folds": folds,
        "null": null,
        "bootstrap": bootstrap,
        "seed": seed,
        "classes": classes,
    }
    answer = _answer(own, inputs, settings, device, power=smallest_effect)
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
        if not os.access(parent, os.W_OK):
            raise InputError(f"{path} cannot be written: you may not write into {parent}; give another path.")


def _answer(
    own: "OwnSamples", inputs: dict[str, Any], settings: dict[str, Any], device: Device, *, power: bool
) -> "SisAnswer":
    """Check, estimate and recommend."""
    import numpy as np

    from beyond_alignment.cli.sis_answer import SisAnswer
    from beyond_alignment.cli.sis_console import working
    from beyond_alignment.information.advice import recommend_strategy
    from beyond_alignment.information.estimate import estimate_pid
    from beyond_alignment.information.samples import check_samples

    classes, seed = settings["classes"], settings["seed"]
    ours = settings["method"] == "posterior"
    options = {"n_folds": settings["folds"], "device": device.value} if ours else {}
    with working("checking"):
        samples = check_samples(
            own.x1, own.x2, own.y, own.groups, blocks=own.blocks, n_classes=classes, seed=seed, names=own.names
        )
    names = np.array(samples.classes, dtype=object)[samples.codes]
    estimate = estimate_pid(
        samples.x1, samples.x2, own.y if classes is None else names, own.groups,
        blocks=own.blocks, method=settings["method"], n_null=settings["null"], n_bootstrap=settings["bootstrap"],
        seed=seed, progress=sys.stderr.isatty(), **options,
    )  # fmt: skip
    planted = None
    if power:
        from beyond_alignment.information.power import smallest_effect

        with working("planting synergy, to see how little is found"):
            planted = smallest_effect(samples.x1, samples.x2, own.groups, blocks=own.blocks, seed=seed)
    compared = [] if ours else [f"{settings['method']!r} is here for comparison; decide by 'posterior'."]
    counts = np.bincount(samples.codes)
    as_numbers = settings["method"] == "gaussian" and classes is None and not samples.target_note.startswith("labels")
    return SisAnswer(
        inputs=inputs,
        settings=settings,
        estimate=estimate,
        strategy=recommend_strategy(estimate, names=own.names[:2]),
        warnings=tuple(dict.fromkeys((*compared, *own.notes, *estimate.warnings))),
        target_note="numbers, taken as jointly Gaussian" if as_numbers else samples.target_note,
        made_from=own.made_from,
        counts={name: int(count) for name, count in zip(samples.classes, counts, strict=True)},
        dimensions=(samples.x1.shape[1], samples.x2.shape[1]),
        power=planted,
    )
