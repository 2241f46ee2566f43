"""The recorder of a page: one call runs, shows and keeps; what it kept is written when the page closes."""

import json
import platform
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from beyond_alignment import study
from beyond_alignment.book.claims import CLAIMS, OPEN, check_claim
from beyond_alignment.book.notebook import assigned, declared, fits, nearest, read_notebook
from beyond_alignment.book.numbers import plain, plain_interval, rounded, show, show_interval
from beyond_alignment.book.shown import HtmlTable
from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path, write_text
from beyond_alignment.project import executed, root

KEY = re.compile(r"[a-z][a-z0-9_]*")
RECOMPUTE = ("check", "missing", "all")
CLAIM_COLUMNS = ("claim", "what it says", "measured here", "interval", "n", "verdict")
DIGITS = 3


class Page:
    """Runs a page's studies, shows its figures and tables, glues its numbers and keeps all of them.

    Parameters
    ----------
    name
        Of the notebook, without its suffix.
    namespace
        ``globals()`` of the notebook: the parameters are read from it. A parameter that the notebook does not declare,
        or of another type, is refused.

    Attributes
    ----------
    parameters
        By name; ``recompute`` (``check``, ``missing`` or ``all``), ``device`` and ``seed`` among them.
    recompute
        What :meth:`run` does.
    device
        ``cpu`` or ``cuda``, where ``auto`` was looked up.
    """

    def __init__(self, name: str, namespace: Mapping[str, Any]) -> None:
        defaults = declared(name, read_notebook(name))
        for cell in namespace.get("In", []):  # papermill writes what was asked for into a cell of its own
            if str(cell).startswith("# Parameters\n"):
                for unknown in assigned(cell, "The injected cell").keys() - defaults.keys():
                    raise InputError(f"{name} has no parameter {unknown!r}: {nearest(unknown, list(defaults))}")
        self.name = name
        self.parameters = plain({key: namespace[key] for key in defaults}, name="parameters")
        for key, value in self.parameters.items():
            if not fits(value, plain(defaults[key], name=key)):
                expected, found = type(defaults[key]).__name__, type(value).__name__
                msg = f"Parameter {key!r} of {name} is {value!r} ({found}); expected {expected} like {defaults[key]!r}."
                raise InputError(msg)
        self.recompute = self.parameters.get("recompute", "check")
        if self.recompute not in RECOMPUTE:
            raise InputError(f"Unknown recompute={self.recompute!r}: choose one of {', '.join(RECOMPUTE)}.")
        self.device = _resolved(self.parameters.get("device", "auto"))
        self._values: dict[str, dict[str, Any]] = {}
        self._claims: dict[str, dict[str, Any]] = {}
        self._tables: list[str] = []
        self._n_shown = 0
        self._studies: dict[str, str] = {}
        self._earlier: dict[str, Any] = {}
        self._unfinished: list[str] = []
        if "beyond_alignment.plotting" in sys.modules:  # a page that draws has imported it
            from beyond_alignment.plotting.style import use_style

            use_style()

    def run(
        self,
        name: str,
        compute: Callable[..., Any],
        plan: pd.DataFrame | Iterable[Mapping[str, Any]],
        **options: Any,
    ) -> pd.DataFrame:
        """Return the table of a study, as :func:`beyond_alignment.study.run` does, and say how much was recomputed."""
        table = study.run(name, compute, plan, recompute=self.recompute, device=self.device, **options)
        self._studies[name] = table.attrs["line"]
        if not table.attrs["finished"]:
            self._unfinished.append(f"{name}: {table.attrs['line'].split(' so far')[0]}")
        print(f"{name}: {table.attrs['line']}")
        return table

    def earlier(self, name: str) -> pd.DataFrame:
        """Return a table of the run of this page that is to be recomputed."""
        return pd.read_csv(root() / "results" / "to_be_recomputed" / f"{self.name}-{name}.csv")

    def earlier_record(self) -> dict[str, Any]:
        """Return values and claims of the run of this page that is to be recomputed; its facts go into the footer."""
        text = (root() / "results" / "to_be_recomputed" / f"{self.name}.json").read_text(encoding="utf-8")
        record: dict[str, Any] = json.loads(text)
        self._earlier = record["run"]
        if self.recompute != "check":
            print(f"recompute={self.recompute!r}: the tables of this page are earlier ones, nothing is computed yet.")
        return record

    def show(
        self,
        what: Figure | pd.DataFrame | HtmlTable | Any,
        name: str = "",
        *,
        columns: Sequence[str] | Mapping[str, str] = (),
        digits: int = DIGITS,
        caption: str = "",
        values: Mapping[str, str] | None = None,
    ) -> None:
        """Show a figure or a table and, where it has a name, keep it.

        Parameters
        ----------
        what
            A figure, kept as ``figures/<page>-<name>.png``, or a table, kept as ``tables/<page>-<name>.csv``.
        name
            Lower-case, unique on the page; empty to keep nothing.
        columns
            Of the table, those that are shown, as they are or as {column: heading}; all when empty.
        digits
            Decimals that are shown.
        caption
            Sentence above a table.
        values
            Numbers of each row to hand to the prose: {key with ``{column}`` in braces: column of the number}; columns
            ``low``, ``high`` and ``n`` go with it.
        """
        from IPython.display import display
        from matplotlib import pyplot as plt

        if name and not KEY.fullmatch(name):
            raise InputError(f"The name {name!r} is malformed: use lower-case letters, digits and underscores.")
        if isinstance(what, Figure):
            if name:
                self._keep_figure(name, what)
            display(what)
            plt.close(what)
            return
        if not isinstance(what, pd.DataFrame):
            display(what)
            return
        for template, column in (values or {}).items():
            for row in what.to_dict(orient="records"):
                bounds = (row["low"], row["high"]) if {"low", "high"} <= row.keys() else ()
                self._value(template.format(**row), (row[column], *bounds), n=row.get("n"))
        if name:
            with atomic_path(self._file("tables", name, "csv")) as temporary:
                what.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
            self._tables.append(name)
        headings = columns if isinstance(columns, Mapping) else {column: column for column in columns or what.columns}
        records = [
            {heading: show(row[column], digits=digits) for column, heading in headings.items()}
            for row in what.to_dict(orient="records")
        ]
        self._n_shown += 1
        uuid = f"table{self._n_shown}-{self.name}"
        display(HtmlTable(pd.DataFrame(records, columns=list(headings.values())), uuid, caption))

    def values(self, found: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Hand numbers to the prose, which says ``{glue:text}`key```, and keep them.

        Parameters
        ----------
        found, more
            By key: a number or a word; ``(value, low, high)``, which glues ``key_low`` and ``key_high`` too; or a
            mapping with ``value`` and any of ``interval``, ``n``, ``unit`` and ``digits``.
        """
        for key, value in {**(found or {}), **more}.items():
            if isinstance(value, Mapping):
                rest = {name: part for name, part in value.items() if name not in ("value", "interval")}
                self._value(key, (value["value"], *(value.get("interval") or ())), **rest)
            else:
                self._value(key, value if isinstance(value, tuple) else (value,))

    def claims(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Keep what became of claims and show them; as long as a study of the page is unfinished there is no verdict.

        Parameters
        ----------
        records
            Each with ``claim`` (id), ``measured`` (in words), ``data``, ``verdict`` and, where there are such,
            ``value``, ``interval``, ``n`` and ``seeds``.
        """
        for record in records:
            self._claim(**record)
        rows = []
        for claim, kept in sorted(self._claims.items(), key=lambda item: (item[0][0], int(item[0][1:]))):
            row = (claim, CLAIMS[claim], kept["measured"], show_interval(kept["interval"]), show(kept["n"]))
            rows.append(dict(zip(CLAIM_COLUMNS, (*row, kept["verdict"]), strict=True)))
        caption = "" if rows else "This page tests no claim."
        self.show(HtmlTable(pd.DataFrame(rows, columns=list(CLAIM_COLUMNS)), f"claims-{self.name}", caption))

    def close(self) -> HtmlTable:
        """Write what was kept to ``<page>.json`` of the results, and return what made the page, folded."""
        write_text(executed() / "results" / f"{self.name}.json", self._text())
        kept = {self._file("tables", name, "csv") for name in self._tables}
        for table in (executed() / "results" / "tables").glob(f"{self.name}-*.csv"):
            if table not in kept:
                table.unlink()
        packages = ", ".join(f"{name} {study.installed_version(name)}" for name in study.PACKAGES)
        rows = {
            **{f"parameter {key}": str(value) for key, value in self.parameters.items()},
            **{f"study {name}": line for name, line in self._studies.items()},
            **{f"earlier run: {key}": str(value) for key, value in self._earlier.items()},
            "packages": packages,
            "python": platform.python_version(),
            "device": study.device_name(self.device),
        }
        frame = pd.DataFrame({"made from": list(rows), "is": list(rows.values())})
        return HtmlTable(frame, f"provenance-{self.name}", "Parameters and provenance", folded=True)

    def _text(self) -> str:
        """Return the results as they are written."""
        content = {"page": self.name, "parameters": self.parameters, "values": self._values, "claims": self._claims}
        content |= {"tables": sorted(self._tables), "studies": sorted(self._studies)}
        content |= {"device": study.device_name(self.device)}
        return json.dumps(content, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False) + "\n"

    def _file(self, kind: str, name: str, suffix: str) -> Any:
        """Return where something that was shown is kept."""
        return executed() / "results" / kind / f"{self.name}-{name}.{suffix}"

    def _keep_figure(self, name: str, figure: Figure) -> None:
        """Write a figure for pages that are not notebooks."""
        with atomic_path(self._file("figures", name, "png")) as temporary:
            figure.savefig(temporary, format="png", dpi=150)

    def _value(
        self, key: str, found: Sequence[Any], *, n: int | None = None, unit: str = "", digits: int = DIGITS
    ) -> None:
        """Keep a value with its interval, and glue them."""
        if not KEY.fullmatch(key) or key in self._values:
            state = "taken" if key in self._values else "malformed"
            msg = f"The key {key!r} is {state}; use a new lower-case name of letters, digits and underscores."
            raise InputError(msg)
        value, interval = plain(found[0], name=key), plain_interval(tuple(found[1:]) or None, name=key)
        self._values[key] = {"value": value, "interval": interval, "n": plain(n, name=key)}
        self._values[key] |= {"unit": unit, "digits": digits}
        for name, number in zip((key, f"{key}_low", f"{key}_high"), (value, *(interval or ())), strict=False):
            _glue(name, rounded(number, digits) if isinstance(number, float) else number)

    def _claim(
        self,
        claim: str,
        *,
        measured: str,
        data: str,
        verdict: str,
        value: float | None = None,
        interval: Sequence[float] | None = None,
        n: int | None = None,
        seeds: int | None = None,
    ) -> None:
        """Keep what became of a claim."""
        check_claim(claim, verdict)
        if claim in self._claims or not measured.strip():
            problem = "is recorded twice" if claim in self._claims else "does not say what was measured"
            msg = f"Claim {claim} {problem} on page {self.name}: give each claim one record with its own words."
            raise InputError(msg)
        if self._unfinished:
            verdict, measured = OPEN, f"{'; '.join(self._unfinished)}. {measured}"
        numbers = {"value": plain(value, name=claim), "interval": plain_interval(interval, name=claim)}
        numbers |= {"n": plain(n, name=claim), "seeds": plain(seeds, name=claim)}
        self._claims[claim] = {"measured": measured, "data": data, "verdict": verdict, **numbers}


def _resolved(device: str) -> str:
    """Return ``cpu`` or ``cuda``."""
    if device == "cpu":
        return device
    from beyond_alignment.experts.compute import resolve_device  # torch takes seconds

    return resolve_device(device).type  # type: ignore[arg-type]


def _glue(name: str, value: float | int | str) -> None:
    """Hand one value to the prose."""
    from myst_nb import glue  # takes a second, and only notebooks glue

    glue(name, value, display=False)
