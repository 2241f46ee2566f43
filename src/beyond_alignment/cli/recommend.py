"""``beyond-alignment recommend``: what the published rule says for a score and a number of paired spots."""

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer

from beyond_alignment.errors import InputError

SIS = typer.Option("--sis", help="The score S / I(X1, X2; Y), from 0 to 1.")
LOW = typer.Option("--low", help="Low end of its interval.")
HIGH = typer.Option("--high", help="High end of its interval.")
N_PAIRED = typer.Option("--n-paired", help="Paired, labelled spots to train on; those of --report when left out.")
SHARE = typer.Option("--interaction-share", help="Share of the information that is interaction synergy, from 0 to 1.")
REPORT = typer.Option("--report", help="Instead of the numbers: JSON that `sis --json` wrote.")
JSON = typer.Option("--json", dir_okay=False, help="Write the answer as JSON.")


def recommend(
    sis: Annotated[float | None, SIS] = None,
    low: Annotated[float | None, LOW] = None,
    high: Annotated[float | None, HIGH] = None,
    n_paired: Annotated[int | None, N_PAIRED] = None,
    interaction_share: Annotated[float | None, SHARE] = None,
    report: Annotated[Path | None, REPORT] = None,
    json: Annotated[Path | None, JSON] = None,
) -> None:
    """Say how to use two sources, by their SIS and the number of paired spots."""
    from rich.console import Console

    from beyond_alignment.cli.sis_console import show_rule
    from beyond_alignment.files import write_text
    from beyond_alignment.information.advice import recommend as read_rule

    if report is not None:
        if any(given is not None for given in (sis, low, high, interaction_share)):
            raise InputError("The score is in --report; leave out --sis, --low, --high and --interaction-share.")
        if json is not None and json.resolve() == report.resolve():
            raise InputError("--report and --json are the same file; give another one to write to.")
        sis, low, high, interaction_share, n_in_report = _read(report)
        n_paired = n_in_report if n_paired is None else n_paired
    if sis is None or n_paired is None:
        missing = "--sis" if sis is None else "--n-paired"
        raise InputError(f"There is no {missing}; give --sis and --n-paired, or --report with what `sis --json` wrote.")
    if (low is None) != (high is None):
        raise InputError("One end of the interval is missing; give --low and --high, or neither.")
    interval = None if low is None or high is None else (low, high)
    rule = read_rule(sis, interval, n_paired, interaction_share=interaction_share)
    if json is not None:
        _check_place(json)
        write_text(json, json_format.dumps(rule.record(), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    show_rule(rule, Console())
    if json is not None:
        typer.echo(f"Written: {json}")


def _read(path: Path) -> tuple[float, float | None, float | None, float | None, int]:
    """Return the score, its interval, the share of interaction and the number of spots out of a report."""
    from beyond_alignment.cli.sis_answer import SCHEMA, SCHEMA_VERSION

    if not path.is_file():
        raise InputError(f"There is no file {path}; write one with `beyond-alignment sis ... --json {path}`.")
    try:
        found: Any = json_format.loads(path.read_text(encoding="utf-8"))
        if found["schema"] != SCHEMA:
            raise ValueError
        if found["schema_version"] != SCHEMA_VERSION:
            written = f"{path} is a report of another version ({found['schema_version']}, not {SCHEMA_VERSION})"
            raise InputError(f"{written}; write it anew with `beyond-alignment sis`.")
        score, part = found["terms"]["sis"], found["terms"]["sis_interaction"]
        values = score["value"], score["low"], score["high"], part["value"]
        n = found["n"]
        if not all(value is None or _is_number(value) for value in values) or type(n) is not int:
            raise ValueError
    except InputError:
        raise
    except PermissionError as error:
        raise InputError(f"{path} may not be read: change its rights, or close it where it is open.") from error
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise InputError(f"{path} is not a report of `beyond-alignment sis --json`; write one with it.") from error
    value, low, high, share = values
    if value is None:
        raise InputError(f"SIS is not determined in {path}, so there is no score to read a rule by.")
    interval = (min(low, value), max(high, value)) if low is not None and high is not None else (None, None)
    return value, *interval, share, n


def _is_number(value: object) -> bool:
    """Whether a value of JSON is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_place(path: Path) -> None:
    """Check that a file can be written."""
    parent = next(folder for folder in path.resolve().parents if folder.exists())
    if path.is_dir() or not parent.is_dir():
        raise InputError(f"{path} cannot be written: it is a folder, or lies below a file; give another path.")
