"""What each fusion method captures of redundancy, unique information and both parts of synergy, on known truth."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pandas as pd

from beyond_alignment.benchmark.captured_cells import LABELS, SETTINGS, Cell, measure
from beyond_alignment.benchmark.captured_probes import PROBES
from beyond_alignment.benchmark.predictions import Arrays
from beyond_alignment.errors import InputError
from beyond_alignment.fusion import FUSION_METHODS
from beyond_alignment.information import PID
from beyond_alignment.information.gates import gate
from beyond_alignment.simulate import decompose
from beyond_alignment.study import each


def captured(
    methods: Sequence[str] | None = None,
    *,
    terms: Sequence[str] = tuple(LABELS),
    settings: Sequence[str] = SETTINGS,
    seeds: Sequence[int] = (0, 1, 2),
    n: int = 8000,
    tuned: bool = True,
) -> pd.DataFrame:
    """Measure the share of each term of the decomposition that a method's representation holds within reach of a probe.

    A method is fitted at the common size on ``n`` samples of
    ``linear_embedding_task``. The probe is fitted on other samples and scored on
    others still, so that what a method learnt by heart does not count. The share of a term is what the probe tells
    beyond the other terms of the label, divided by the term: 1 where all is told, 0 where the others are told and
    nothing more, below 0 where those are lost too. The representation of late average is its pooled prediction;
    methods that read neighbours are given none.

    Parameters
    ----------
    methods
        Names of fusion methods; all of them when None.
    terms
        ``redundancy``, ``unique1``, ``unique2``, ``synergy_additive`` (AND, which also holds redundancy: no label has
        additive synergy alone) or ``synergy_interaction`` (XOR).
    settings
        ``alone``: both embeddings hold the bits of one label; ``together``: those of all five, so that a method that
        sees no labels has to keep them all, and one that does has to find its own.
    seeds
        Of the draws, their maps and the methods.
    n
        Samples that a method is fitted on.
    tuned
        Choose each network's trial by :func:`~beyond_alignment.fusion.tuning.tune`, on a draw that is not measured.

    Returns
    -------
    pandas.DataFrame
        One row a method, setting, term, seed and probe: n, term_bits and label_bits (true, of the term and of the
        label), bits (told), share, chance and spread (mean and standard deviation of ``bits`` over permutations of the
        test labels), seconds (share of fitting and reading; NaN for none) and failure (why there is no answer, or
        nothing).

    Raises
    ------
    InputError
        If a method, term or setting is unknown.
    """
    names = tuple(FUSION_METHODS) if methods is None else tuple(methods)
    for given, known in ((names, FUSION_METHODS), (terms, LABELS), (settings, SETTINGS)):
        unknown = [name for name in given if name not in known]
        if unknown:
            raise InputError(f"{', '.join(unknown)} cannot be measured; choose among {', '.join(known)}.")
    rows: list[dict[str, Any]] = [
        {"cells": [Cell(method, setting, term, seed) for term, seed in product(terms, seeds)], "n": n, "tuned": tuned}
        for method, setting in product(names, settings)
    ]
    found = dict(each(measure, rows, what="captured"))
    return pd.DataFrame(
        read
        for number, row in enumerate(rows)
        for cell, arrays in zip(row["cells"], found[number], strict=True)
        for read in _rows(cell, arrays, n)
    )


def label_truth(term: str) -> PID:
    """Return the exact decomposition of the label that stands for a term, in bits.

    Parameters
    ----------
    term
        As in :func:`captured`.
    """
    return decompose(gate(LABELS[term]))


def _rows(cell: Cell, arrays: Arrays, n: int) -> Iterator[dict[str, object]]:
    """Yield the rows of a cell, one a probe."""
    pid = label_truth(cell.term)
    term = float(getattr(pid, cell.term))
    for i, probe in enumerate(PROBES):
        bits = float(arrays["bits"][i])
        truth = {"n": n, "term_bits": term, "label_bits": pid.I12}
        scores = {"bits": bits, "share": (bits - (pid.I12 - term)) / term}
        null = {"chance": float(arrays["chance"][i]), "spread": float(arrays["spread"][i])}
        last = {"seconds": float(arrays["seconds"]), "failure": str(arrays["failure"])}
        yield {**cell._asdict(), "probe": probe, **truth, **scores, **null, **last}
