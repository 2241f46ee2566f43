"""What a notebook measured, kept in one place: shown on the page, glued into its prose, written to ``results/``."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path, write_text
from beyond_alignment.results import hashing, provenance
from beyond_alignment.results.agreement import agree
from beyond_alignment.results.claims import CLAIMS, check_claim
from beyond_alignment.results.html import HtmlTable, html_table
from beyond_alignment.results.locations import REFERENCE, figure_file, load, page_file, table_file
from beyond_alignment.results.numbers import plain, plain_interval, rounded, show, show_interval

KEY = re.compile(r"[a-z][a-z0-9_]*")
CLAIM_COLUMNS = ("claim", "what it says", "measured here", "interval", "n", "verdict")
AGREEMENT = {True: "yes", False: "no", None: "differs by design"}


class Page:
    """Collects the values, claims and tables of one run of one page.

    Parameters
    ----------
    name
        Name of the notebook without its suffix.
    profile
        Name of the profile that it runs with.
    parameters
        The notebook's parameters by name; ``seed`` and ``device`` are shown in the provenance.
    """

    def __init__(self, name: str, *, profile: str, parameters: Mapping[str, Any]):
        self.name = name
        self.profile = profile
        self.parameters = plain(dict(parameters), name="parameters")
        self._values: dict[str, dict[str, Any]] = {}
        self._claims: dict[str, dict[str, Any]] = {}
        self._tables: list[str] = []

    def value(
        self,
        key: str,
        value: float | int | str,
        *,
        interval: Sequence[float] | None = None,
        n: int | None = None,
        unit: str = "",
        digits: int = 3,
        tolerance: float | None = 0.01,
    ) -> None:
        """Record a value and glue it, so that the prose can say ``{glue:text}`key```.

        Glued are ``key`` and, where there is an interval, ``key_low`` and ``key_high``.

        Parameters
        ----------
        key
            Lower-case name, unique on the page.
        value
            A number or a word; numpy scalars are made plain.
        interval
            (low, high) in the unit of the value.
        n
            Number of observations behind it.
        unit
            Unit of the value.
        digits
            Decimals of the glued numbers.
        tolerance
            How far quick and reference may lie apart where neither has an interval; ``None`` for a value that
            depends on the profile by design.

        Raises
        ------
        InputError
            If the key is malformed or taken, or a number is not finite.
        """
        if not KEY.fullmatch(key) or key in self._values:
            state = "taken" if key in self._values else "malformed"
            msg = f"The key {key!r} is {state}; use a new lower-case name of letters, digits and underscores."
            raise InputError(msg)
        record = {"value": plain(value, name=key), "interval": plain_interval(interval, name=key)}
        self._values[key] = record | {"n": plain(n, name=key), "unit": unit, "digits": digits, "tolerance": tolerance}
        low, high = record["interval"] or (None, None)
        for name, number in ((key, record["value"]), (f"{key}_low", low), (f"{key}_high", high)):
            if number is not None:
                _glue(name, rounded(number, digits) if isinstance(number, float) else number)

    def claim(
        self,
        claim: str,
        *,
        measured: str,
        value: float | None = None,
        interval: Sequence[float] | None = None,
        n: int | None = None,
        seeds: int | None = None,
        data: str,
        verdict: str,
        comparable: bool = True,
    ) -> None:
        """Record what became of a claim.

        Parameters
        ----------
        claim
            Id of the claim, a key of `CLAIMS`.
        measured
            What was measured here, in words; why not, where it cannot be tested here.
        value
            The number that decides.
        interval
            (low, high) around the value.
        n
            Number of observations behind it.
        seeds
            Number of seeds behind it.
        data
            The data that it was measured on.
        verdict
            One of `VERDICTS`.
        comparable
            Whether the quick and the reference run have to agree on the number; not where it grows with the data that
            a run trains on.

        Raises
        ------
        InputError
            If the id or verdict is unknown, the claim is already recorded, or nothing is said about it.
        """
        check_claim(claim, verdict)
        if claim in self._claims or not measured.strip():
            problem = "is recorded twice" if claim in self._claims else "does not say what was measured"
            msg = f"Claim {claim} {problem} on page {self.name}: give each claim one record with its own words."
            raise InputError(msg)
        self._claims[claim] = {
            "measured": measured,
            "value": plain(value, name=claim),
            "interval": plain_interval(interval, name=claim),
            "n": plain(n, name=claim),
            "seeds": plain(seeds, name=claim),
            "data": data,
            "verdict": verdict,
            **({} if comparable else {"tolerance": None}),
        }

    def table(
        self, name: str, frame: pd.DataFrame, *, columns: Sequence[str] = (), digits: int = 3, caption: str = ""
    ) -> HtmlTable:
        """Write a table beside the results as ``tables/<page>-<name>.csv`` and return it to be shown.

        Parameters
        ----------
        name
            Lower-case name, unique on the page.
        frame
            One record a row; the index is not written. Floats are written at six significant digits.
        columns
            Columns that are shown; all when empty.
        digits
            Decimals that are shown.
        caption
            Sentence above the table.
        """
        with atomic_path(table_file(self.name, name, self.profile)) as temporary:
            frame.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
        self._tables = sorted({*self._tables, name})
        shown = frame[list(columns) or list(frame.columns)]
        records = [
            {key: show(value, digits=digits) for key, value in row.items()} for row in shown.to_dict(orient="records")
        ]
        return html_table(records, columns=list(shown.columns), uuid=f"{name}-{self.name}", caption=caption)

    def figure(self, name: str, figure: Figure) -> None:
        """Write a figure beside the results as ``figures/<page>-<name>.png``, for pages that are not notebooks.

        Parameters
        ----------
        name
            Lower-case name, unique on the page.
        figure
            What is drawn.
        """
        with atomic_path(figure_file(self.name, name, self.profile)) as temporary:
            figure.savefig(temporary, format="png", dpi=150)

    def parameter_table(self) -> HtmlTable:
        """Return the parameters of this run as a small table."""
        records = [{"parameter": name, "value": _words(value)} for name, value in self.parameters.items()]
        return html_table(records, columns=("parameter", "value"), uuid=f"parameters-{self.name}")

    def claims_table(self) -> HtmlTable:
        """Return the claims that this page tests, with what was measured and the verdict."""
        records = []
        for claim, record in sorted(self._claims.items(), key=lambda item: (item[0][0], int(item[0][1:]))):
            row = (claim, CLAIMS[claim], record["measured"], show_interval(record["interval"]), show(record["n"]))
            records.append(dict(zip(CLAIM_COLUMNS, (*row, record["verdict"]), strict=True)))
        caption = "" if records else "This page tests no claim."
        return html_table(records, columns=CLAIM_COLUMNS, uuid=f"claims-{self.name}", caption=caption)

    def compare_reference(self) -> HtmlTable:
        """Return this run's values beside those of the reference profile, and whether they agree."""
        columns = ("quantity", "this run", "interval", "reference run", "reference interval", "agree")
        uuid = f"reference-{self.name}"
        if self.profile == REFERENCE:
            return html_table([], columns=columns, uuid=uuid, caption="This page shows the reference run itself.")
        if not page_file(self.name, REFERENCE).is_file():
            return html_table([], columns=columns, uuid=uuid, caption="There is no reference run of this page yet.")
        records = []
        for pair in agree(self.content(), load(self.name, REFERENCE)):
            digits = pair.quick.get("digits", 3)
            cells = [cell for side in (pair.quick, pair.reference) for cell in _shown(side, digits)]
            records.append(dict(zip(columns, (pair.key, *cells, AGREEMENT[pair.agrees]), strict=True)))
        return html_table(records, columns=columns, uuid=uuid)

    def provenance(self) -> HtmlTable:
        """Return the footer of the page: what made it, and nothing that changes from run to run on one machine."""
        notebook = hashing.read_notebook(self.name)
        names = hashing.page_inputs(self.name, notebook, profile=self.profile)
        inputs = hashing.input_hashes(names, profile=self.profile)
        rows = {
            "page": self.name,
            "profile": self.profile,
            "notebook": hashing.notebook_hash(notebook)[:12],
            "package source": hashing.source_hash()[:12],
            **{f"input {name}": digest[:12] for name, digest in inputs.items()},
            "packages": ", ".join(f"{name} {number}" for name, number in provenance.package_versions().items()),
            "python": provenance.python_version(),
            "device": provenance.device_used(self.parameters),
            "seed": _words(self.parameters.get("seed", "none")),
        }
        records = [{"made from": name, "is": text} for name, text in rows.items()]
        return html_table(records, columns=("made from", "is"), uuid=f"provenance-{self.name}")

    def content(self) -> dict[str, Any]:
        """Return everything recorded so far, as it is written."""
        return {
            "page": self.name,
            "profile": self.profile,
            "device": provenance.device_used(self.parameters),
            "parameters": self.parameters,
            "values": self._values,
            "claims": self._claims,
            "tables": self._tables,
        }

    def write(self) -> None:
        """Write the results in one step, and remove tables that an earlier run of the page left."""
        path = page_file(self.name, self.profile)
        write_text(
            path, json.dumps(self.content(), sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
        )
        kept = {table_file(self.name, name, self.profile) for name in self._tables}
        for table in path.parent.glob(f"tables/{self.name}-*.csv"):
            if table not in kept:
                table.unlink()


def _glue(name: str, value: float | int | str) -> None:
    """Hand one value to the prose."""
    from myst_nb import glue  # takes a second, and only notebooks glue

    glue(name, value, display=False)


def _words(value: Any) -> str:
    """Show a parameter without brackets and quotes."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _shown(record: Mapping[str, Any], digits: int) -> tuple[str, str]:
    """Show a value and its interval."""
    return show(record["value"], digits=digits), show_interval(record["interval"], digits=digits)
