"""Simulated tissue of any size with labels of a chosen SIS, once by additive synergy and once by an interaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import entropy

from beyond_alignment import keys
from beyond_alignment.benchmark.cells import Bench
from beyond_alignment.benchmark.curve_problems import CurveProblems
from beyond_alignment.benchmark.problem import Contest, make_problem
from beyond_alignment.benchmark.simulated_tissue import EXPRESSION, MORPHOLOGY, simulate_tissue
from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import PID
from beyond_alignment.simulate import decompose, symbol_table
from beyond_alignment.tasks.labels import labelled
from beyond_alignment.tasks.splits import Split

SynergyKind = Literal["additive", "interaction"]
KINDS: tuple[SynergyKind, ...] = ("additive", "interaction")
LEVELS = {"low": 0.10, "middle": 0.30, "high": 0.55}
N_TRAINING, N_TEST = 8, 2
"""Donors."""
MOST_TEST = 4000
SPARE = 1.5
"""Training spots that are drawn for each of the largest size, so that seeds differ there too."""


@dataclass(frozen=True)
class DialledLabel:
    """A label of two bits: one that both embeddings hold, and one that takes both of them.

    Attributes
    ----------
    name
        ``<kind>_<level>``.
    kind
        ``additive``: the second bit is what a private bit of either embedding says, and drawn where they disagree, so
        that log-odds add up; ``interaction``: their exclusive or.
    shared_flips, synergy_flips
        Shares of the spots at which the first bit is wrong, and at which the second one is although it was not drawn;
        they set the score.
    truth
        Exact decomposition, bits.
    """

    name: str
    kind: SynergyKind
    shared_flips: float
    synergy_flips: float
    truth: PID

    @property
    def sis(self) -> float:
        """S / I(X1, X2; Y)."""
        return self.truth.synergy / _information(self.truth)

    @property
    def interaction(self) -> float:
        """Share of the information that is synergy by interaction."""
        return self.truth.synergy_interaction / _information(self.truth)

    @property
    def best_accuracy(self) -> float:
        """Accuracy of a reader who knows all bits of both embeddings."""
        drawn = 0.5 if self.kind == "additive" else 0.0
        return (1 - self.shared_flips) * ((1 - drawn) * (1 - self.synergy_flips) + drawn / 2)


def dialled_label(kind: SynergyKind, sis: float, *, name: str = "") -> DialledLabel:
    """Return the label of a kind that has an exact SIS: up to some score noise is on the synergy, then on the rest.

    Parameters
    ----------
    kind
        ``additive`` or ``interaction``.
    sis
        Above 0; below 0.62 for additive synergy, which comes with redundancy, and below 1 for an interaction.
    name
        Of the label.

    Raises
    ------
    InputError
        The kind is unknown or no noise gives the score.
    """
    if kind not in KINDS:
        raise InputError(f"There is no synergy of kind {kind!r}; choose {' or '.join(KINDS)}.")
    shared, synergy = _flips(_place(kind, sis))
    return DialledLabel(name or kind, kind, shared, synergy, decompose(_table(kind, shared, synergy)))


def dialled_problems(
    labels: Sequence[DialledLabel],
    *,
    sizes: Sequence[int],
    methods: Sequence[str],
    seeds: Sequence[int],
    tissue_seed: int = 0,
) -> tuple[CurveProblems, tuple[float, ...]]:
    """Draw one tissue of ten donors and pose each label on it: eight donors to train on, two to test.

    Parameters
    ----------
    labels
        From :func:`dialled_label`, with names of their own.
    sizes
        Training spots.
    methods
        Contestants.
    seeds
        Of the subsets and of the methods.
    tissue_seed
        Of the tissue and of the flips.

    Returns
    -------
    tuple
        The problems with a contest a label, method and seed; the fractions that are the sizes.
    """
    most = round(SPARE * max(sizes))
    side = max(int(np.ceil(np.sqrt(most / N_TRAINING))), 8)
    adata = simulate_tissue(n_donors=N_TRAINING + N_TEST, sections_per_donor=1, side=side, seed=tissue_seed)
    split = _split(adata, most, tissue_seed)
    pair = tuple(np.asarray(adata.obsm[keys.embedding(name)]) for name in (EXPRESSION, MORPHOLOGY))
    benches: dict[str, Bench] = {}
    named: dict[Contest, str] = {}
    for label in labels:
        values = _draw(adata, label, tissue_seed)
        benches[label.name] = Bench(make_problem(adata, values, split="donor"), (pair[0], pair[1]), (split,))
        for method in methods:
            contests = (Contest(label.name, "donor", method, EXPRESSION, MORPHOLOGY, seed) for seed in seeds)
            named |= dict.fromkeys(contests, label.name)
    return CurveProblems(benches, named), tuple(size / most for size in sorted(sizes))


def known_information(labels: Sequence[DialledLabel]) -> pd.DataFrame:
    """Return one row a label: task, kind, sis, interaction, the exact terms in bits and the best accuracy there is.

    Parameters
    ----------
    labels
        From :func:`dialled_label`.
    """
    rows = [
        {"task": one.name, "kind": one.kind, "sis": one.sis, "interaction": one.interaction}
        | {name: getattr(one.truth, name) for name in ("redundancy", "unique1", "unique2", "synergy")}
        | {name: getattr(one.truth, name) for name in ("synergy_additive", "synergy_interaction")}
        | {"best_accuracy": one.best_accuracy}
        for one in labels
    ]
    return pd.DataFrame(rows)


def _information(truth: PID) -> float:
    """Return I(X1, X2; Y), bits."""
    return truth.redundancy + truth.unique1 + truth.unique2 + truth.synergy


def _table(kind: SynergyKind, shared_flips: float, synergy_flips: float) -> NDArray[np.float64]:
    """Return the exact distribution of both sources and the label."""
    sizes = dict.fromkeys(("s", "a", "b", "drawn"), 2)
    rules = {
        "additive": lambda s, a, b, drawn: 2 * s + (a if a == b else drawn),
        "interaction": lambda s, a, b, drawn: 2 * s + (a ^ b),
    }
    table = symbol_table(sizes, ("s", "a"), ("s", "b"), rules[kind])
    return np.asarray(table @ np.kron(_channel(shared_flips), _channel(synergy_flips)))


def _channel(flips: float) -> NDArray[np.float64]:
    """Return how often a bit is read as each bit."""
    return np.array([[1 - flips, flips], [flips, 1 - flips]])


def _flips(place: float) -> tuple[float, float]:
    """Return the flips of both bits: up to 1 noise leaves the synergy, up to 2 it takes the shared bit."""
    return max(place - 1, 0.0) / 2, max(1 - place, 0.0) / 2


def _score(kind: SynergyKind, place: float) -> float:
    """Return the SIS: the two bits are independent, and both sources tell the same of the second one alone."""
    shared, synergy = _flips(place)
    if kind == "additive":
        alone = 1 - _entropy(0.75 - synergy / 2)
        both = (1 - _entropy(synergy)) / 2
    else:
        alone, both = 0.0, 1 - _entropy(synergy)
    return float((both - alone) / (both + 1 - _entropy(shared)))


def _entropy(p: float) -> float:
    """Return the entropy of a bit, bits."""
    return float(entropy([p, 1 - p], base=2))


def _place(kind: SynergyKind, sis: float) -> float:
    """Return where the score is reached."""
    most = _score(kind, 2.0)
    if not 0 < sis < most:
        raise InputError(f"An SIS of {sis:g} by {kind} synergy: give a number above 0 and below {most:.2f}.")
    return float(brentq(lambda place: _score(kind, place) - sis, 1e-9, 2.0, xtol=1e-12))


def _draw(adata: AnnData, label: DialledLabel, seed: int) -> NDArray:
    """Return the label of every spot (spot,), its two bits wrong at some spots."""
    shared, xor, first, second = (
        labelled(adata, f"simulated_{name}")[1] == "class 1" for name in ("redundant", "xor", "unique1", "unique2")
    )
    rng = np.random.default_rng([seed, *label.name.encode()])
    drawn, *flips = rng.random((3, adata.n_obs)) < np.array([[0.5], [label.shared_flips], [label.synergy_flips]])
    told = xor if label.kind == "interaction" else np.where(first == second, first, drawn)
    values = 2 * (shared ^ flips[0]) + (told ^ flips[1]).astype(np.int64)
    return np.array([f"class {value}" for value in values], dtype=object)


def _split(adata: AnnData, most: int, seed: int) -> Split:
    """Return training spots of the first donors, as many as are asked for, and test spots of the last ones."""
    donors = adata.obs[keys.DONOR].cat.codes.to_numpy()
    rng = np.random.default_rng(seed)
    names = list(adata.obs[keys.DONOR].cat.categories)
    ranks = np.array([int(name.split()[-1]) for name in names])[donors]  # donor 10 comes after donor 9
    train, test = np.flatnonzero(ranks <= N_TRAINING), np.flatnonzero(ranks > N_TRAINING)
    kept = np.sort(rng.permutation(train)[:most]), np.sort(rng.permutation(test)[:MOST_TEST])
    return Split("donors 9 and 10", *kept)
