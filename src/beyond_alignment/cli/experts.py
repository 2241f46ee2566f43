"""``beyond-alignment experts``: the frozen unimodal experts, and which can be used here."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from beyond_alignment.cli import experts_train

if TYPE_CHECKING:
    from beyond_alignment.experts.availability import Availability
    from beyond_alignment.experts.record import Expert

JSON = typer.Option("--json", help="Print every field as JSON.")

app = typer.Typer(help="The frozen unimodal experts: their records, and which can be used here.")
app.command("train")(experts_train.train)


@app.callback(invoke_without_command=True)
def experts(context: typer.Context, as_json: Annotated[bool, JSON] = False) -> None:
    """List the experts, unless another command is given."""
    if context.invoked_subcommand is None:
        list_experts(as_json=as_json)


@app.command("list")
def list_experts(*, as_json: Annotated[bool, JSON] = False) -> None:
    """List every expert: features, parameters, input, licence, source, and whether it can be used here."""
    from beyond_alignment.experts.availability import availability
    from beyond_alignment.experts.registry import EXPERTS

    found = [(expert, availability(expert.name)) for expert in EXPERTS.values()]
    if as_json:
        typer.echo(json.dumps([_record(expert, here) for expert, here in found], indent=1))
        return
    from rich.console import Console

    from beyond_alignment.cli.experts_console import show_experts

    show_experts(found, Console())


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Name of an expert, such as uni2_h.")],
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Print the whole record of one expert, and what it lacks here."""
    from beyond_alignment.experts.availability import availability
    from beyond_alignment.experts.registry import get_expert

    expert = get_expert(name)
    here = availability(expert.name)
    if as_json:
        typer.echo(json.dumps(_record(expert, here), indent=1))
        return
    from rich.console import Console

    from beyond_alignment.cli.experts_console import show_expert

    show_expert(expert, here, Console())


def _record(expert: "Expert", here: "Availability") -> dict[str, Any]:
    """Return all that is known of an expert, ready for JSON."""
    return {**asdict(expert), "here": asdict(here)}
