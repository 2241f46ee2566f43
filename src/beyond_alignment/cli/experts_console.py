"""Shows the records of the experts on a terminal."""

from collections.abc import Sequence
from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from beyond_alignment.experts.availability import Availability
from beyond_alignment.experts.record import Expert

SHA_SHOWN = 7
DEFINITION_SHOWN = 44
WIDE = 110
LEGEND = (
    "here: yes; fetch, from the hub at first use; no. px @ um/px: the image that it reads. Normalisation, citation and "
    "the rest: beyond-alignment experts show NAME, or --json. Weights of your own: --weights FILE, or a folder with "
    "NAME.safetensors in BEYOND_ALIGNMENT_WEIGHTS."
)


def show_experts(found: Sequence[tuple[Expert, Availability]], console: Console) -> None:
    """Print a table for each modality, then what is missing for the experts that cannot be used here.

    Parameters
    ----------
    found
        Each record with its availability.
    console
        Where to print it.
    """
    for modality in ("morphology", "expression"):
        rows = [(expert, here) for expert, here in found if expert.modality == modality]
        console.print(_table(modality, rows, wide=console.width >= WIDE))
    console.print(f"{LEGEND}\n", markup=False, highlight=False)
    lacking = [(expert, here) for expert, here in found if not here.usable]
    if lacking:
        console.print("[bold]Missing here[/bold]", highlight=False)
    for expert, here in lacking:
        console.print(f"  {expert.name}: {'; '.join(here.missing)}", markup=False, highlight=False, soft_wrap=True)


def _table(modality: str, rows: Sequence[tuple[Expert, Availability]], *, wide: bool) -> Table:
    """Return the table of one modality; on a narrow terminal the licence stands under the source."""
    images = modality == "morphology"
    table = Table(title=modality, title_justify="left", highlight=False, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("expert", "here"):
        table.add_column(name, no_wrap=True)
    for name in ("features", "parameters", *(["px @ um/px"] if images else [])):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("source @ revision", "licence") if wide else ("source @ revision, licence",):
        table.add_column(name, overflow="fold")
    for expert, here in rows:
        origin = [escape(_source(expert)), escape(_licence(expert))]
        table.add_row(
            expert.name,
            _here(here),
            f"{expert.dimension:,}",
            _count(expert.parameters),
            *([f"{expert.input_px} @ {expert.microns_per_pixel:.2f}"] if images else []),
            *(origin if wide else ["\n".join(origin)]),
        )
    return table


def _here(here: Availability) -> str:
    """Return whether an expert can be used here."""
    if not here.usable:
        return "no"
    return "fetch" if here.download_gb else "yes"


def _count(parameters: int) -> str:
    """Return a number of parameters in millions."""
    return f"{parameters / 1e6:,.1f} M" if parameters else "none"


def _source(expert: Expert) -> str:
    """Return where the weights come from, with the start of the revision; of a definition, its first words."""
    if expert.revision:
        return f"{expert.source} @ {expert.revision[:SHA_SHOWN]}"
    lines = wrap(expert.source, DEFINITION_SHOWN) or [""]
    return f"{lines[0]} …" if len(lines) > 1 else lines[0]


def _licence(expert: Expert) -> str:
    """Return the licence, and whether access has to be asked for."""
    short = expert.licence.partition(" (")[0].partition(",")[0]
    return f"{short}, gated" if expert.gated else short


def show_expert(expert: Expert, here: Availability, console: Console) -> None:
    """Print every field of one record.

    Parameters
    ----------
    expert
        The record.
    here
        Its availability.
    console
        Where to print it.
    """
    table = Table(show_header=False, highlight=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for field, value in vars(expert).items():
        table.add_row(field.replace("_", " "), escape(_words(value)))
    table.add_row("usable here", "yes" if here.usable else "no")
    if here.weights:
        size = f", {here.download_gb:.1f} GB at first use" if here.download_gb else ""
        table.add_row("weights", escape(here.weights + size))
    for item in here.missing:
        table.add_row("missing here", escape(item))
    console.print(table)


def _words(value: object) -> str:
    """Return a value of a record as words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value) or "none"
