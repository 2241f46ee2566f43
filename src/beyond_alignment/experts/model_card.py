"""Model cards of the project's own experts: what they were trained on, how, for how long, and what they cannot do."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from beyond_alignment.errors import InputError
from beyond_alignment.files import write_text


@dataclass(frozen=True)
class ModelCard:
    """All that the card of a trained expert says.

    Attributes
    ----------
    name
        Name of the expert.
    summary
        One sentence: what it is and what it returns.
    method
        How it was trained, in words.
    profile
        Name of the training profile.
    settings
        The profile's settings.
    data
        One entry a section: its data set, donor, what was used of it, its source and licence.
    donors, excluded_donors
        Donors seen in training, and those left out on purpose.
    labels_seen
        Whether any label took part in training.
    hardware
        What it was trained on.
    precision
        Of the training.
    hours
        Hours of training, checkpoints left out.
    torch
        Version of torch.
    parameters, dimension
        Numbers of parameters, and of features of an embedding.
    size, sha256
        Of the weights file, in bytes.
    licence
        Of the weights.
    limits
        What it cannot be trusted with.
    curve
        A row for each epoch.
    """

    name: str
    summary: str
    method: str
    profile: str
    settings: dict[str, Any]
    data: Sequence[dict[str, Any]]
    donors: Sequence[str]
    excluded_donors: Sequence[str]
    labels_seen: bool
    hardware: str
    precision: str
    hours: float
    torch: str
    parameters: int
    dimension: int
    size: int
    sha256: str
    licence: str
    limits: Sequence[str]
    curve: Sequence[dict[str, float]]


def write_model_card(folder: Path, card: ModelCard) -> None:
    """Write a card as ``<name>.json`` and ``<name>.md``."""
    write_text(folder / f"{card.name}.json", json.dumps(asdict(card), indent=1, sort_keys=True) + "\n")
    write_text(folder / f"{card.name}.md", markdown(card))


def read_model_card(path: Path) -> ModelCard:
    """Read the card of an expert from its JSON file.

    Raises
    ------
    InputError
        If the file is absent, is no JSON or lacks a field.
    """
    try:
        return ModelCard(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        msg = f"{path} cannot be read as a model card ({error}): take the file that training wrote."
        raise InputError(msg) from error


def markdown(card: ModelCard) -> str:
    """Return a card as a page of Markdown."""
    first, last = card.curve[0], card.curve[-1]
    rows = [
        ("Profile", card.profile),
        ("Parameters", f"{card.parameters:,}"),
        ("Embedding", f"{card.dimension} features"),
        ("Weights", f"{card.size / 1e6:.1f} MB, float16, sha256 `{card.sha256[:16]}`"),
        ("Donors seen", ", ".join(card.donors)),
        ("Donors left out", ", ".join(card.excluded_donors) or "none"),
        ("Labels seen", "yes" if card.labels_seen else "none"),
        ("Trained on", f"{card.hardware}, {card.precision}, torch {card.torch}, {card.hours:.2f} hours"),
        ("Licence of the weights", card.licence),
    ]
    measured = [name for name in last if name not in ("epoch", "seconds", "learning_rate", "examples_per_second")]
    parts = [
        f"# {card.name}",
        card.summary,
        _table(("", ""), rows),
        "## Training",
        card.method,
        _table(("measured", f"epoch {first['epoch']:.0f}", f"epoch {last['epoch']:.0f}"),
               [(name, f"{first[name]:.4g}", f"{last[name]:.4g}") for name in measured]),
        "## Data",
        _table(tuple(card.data[0]), [tuple(entry.values()) for entry in card.data]),
        "## Limits",
        "\n".join(f"- {limit}" for limit in card.limits),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
