"""Tissue whose information is known exactly: donors, sections, niches, two experts and labels, as a release."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy.stats import ortho_group

from beyond_alignment import keys
from beyond_alignment.errors import InputError
from beyond_alignment.information.exact import PID
from beyond_alignment.simulate import decompose, symbol_table
from beyond_alignment.simulate.draw import PITCH_UM, normal_fields, spot_coordinates
from beyond_alignment.tasks.labels import set_labels
from beyond_alignment.tasks.rings import label_rings

NAME = "simulated"
EXPRESSION, MORPHOLOGY = "simulated_expression", "simulated_morphology_200um"
MICRONS_PER_PIXEL = 0.5
NICHE_RANGE_UM = 500.0
N_NUISANCE = 4
N_FEATURES = 48

FIRST = ("s", "u1", "c1", "v1", "n1")
SECOND = ("s", "u2", "c2", "v2", "n2")

RULES: Mapping[str, tuple[tuple[str, ...], Callable[..., int | NDArray[np.int64]]]] = MappingProxyType(
    {
        "simulated_redundant": (("s",), lambda s: s),
        "simulated_unique1": (("u1", "u2"), lambda u1, u2: u1),
        "simulated_unique2": (("u1", "u2"), lambda u1, u2: u2),
        "simulated_and": (("c1", "c2"), lambda c1, c2: c1 & c2),
        "simulated_xor": (("v1", "v2"), lambda v1, v2: v1 ^ v2),
        "simulated_mixed": (("s", "u1", "v1", "v2"), lambda s, u1, v1, v2: 4 * s + 2 * u1 + (v1 ^ v2)),
        "simulated_niche": (("n1", "n2"), lambda n1, n2: 2 * n1 + n2),
    }
)
"""Task -> the bits that its label is made of, and the rule."""


def simulated_truth(task: str) -> PID:
    """Return the exact decomposition of a task on simulated tissue, in bits.

    Parameters
    ----------
    task
        A key of :data:`RULES`.

    Raises
    ------
    InputError
        If the task is not simulated.
    """
    if task not in RULES:
        msg = f"The decomposition of {task!r} is not known; known are {', '.join(RULES)}."
        raise InputError(msg)
    bits, rule = RULES[task]
    held = [tuple(bit for bit in side if bit in bits) for side in (FIRST, SECOND)]
    return decompose(symbol_table(dict.fromkeys(bits, 2), held[0], held[1], rule))


def simulate_tissue(
    *,
    n_donors: int = 4,
    sections_per_donor: int = 2,
    side: int = 16,
    noise: float = 0.25,
    spatial_range_um: float = 200.0,
    seed: int = 0,
) -> AnnData:
    """Draw tissue in which each expert holds some of the bits that labels are made of.

    Every bit is where a smooth random field is positive, so that bits come in patches; the two niche bits are smooth
    over a longer range. A bit lies along a direction of its own as -1 or +1, beside smooth nuisance with a mean of each
    donor (standard normal), in Gaussian noise: at the default noise it is read with an error of 3e-5, so the
    decompositions of :func:`simulated_truth` hold for the embeddings.

    Parameters
    ----------
    n_donors, sections_per_donor
        Donors, and sections of each.
    side
        A section is a hexagonal lattice of side x side spots, 100 um apart.
    noise
        Standard deviation of the noise of a feature.
    spatial_range_um
        Length scale of the fields; 0 for independent spots.
    seed
        Of everything that is drawn.

    Returns
    -------
    AnnData
        As a release, without counts: ``obsm["X_simulated_expression"]``, ``obsm["X_simulated_morphology_200um"]``,
        labels of every task of the data set ``simulated``, with the truth in ``uns["task_<name>"]["truth_bits"]``.

    Raises
    ------
    InputError
        If there are fewer than two donors, no spots or a negative amount.
    """
    if n_donors < 2 or sections_per_donor < 1 or side < 2:
        raise InputError("Give 2 or more donors, 1 or more sections and a side of 2 or more.")
    if min(noise, spatial_range_um) < 0:
        raise InputError("Noise and range cannot be negative.")
    n_sections = n_donors * sections_per_donor
    section = np.repeat(np.arange(n_sections), side * side)
    adata = _lattice(section, section // sections_per_donor, side)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)]
    bits = _bits(section, spatial_range_um, streams[0])
    for name, held, rng in ((EXPRESSION, FIRST, streams[1]), (MORPHOLOGY, SECOND, streams[2])):
        nuisance = _fields(section, N_NUISANCE, spatial_range_um, rng)
        shift = rng.standard_normal((n_donors, N_NUISANCE))
        latents = np.hstack([np.column_stack([2.0 * bits[bit] - 1 for bit in held]), nuisance])
        latents[:, len(held) :] += shift[section // sections_per_donor]
        directions = ortho_group.rvs(N_FEATURES, random_state=rng)[: latents.shape[1]]
        values = latents @ directions + noise * rng.standard_normal((adata.n_obs, N_FEATURES))
        modality = "expression" if name == EXPRESSION else "morphology"
        adata.obsm[keys.embedding(name)] = values.astype(np.float32)
        adata.uns[name] = {"params": {"modality": modality, "source": "simulated", "holds": ", ".join(held)}}
    _label(adata, bits)
    return adata


def _lattice(section: NDArray[np.int64], donor: NDArray[np.int64], side: int) -> AnnData:
    """Return spots with their names, places and scale."""
    y, x = np.divmod(np.arange(len(section)) % (side * side), side)
    names = np.array([f"S{number + 1}" for number in section])
    obs = pd.DataFrame(
        {
            keys.SECTION: pd.Categorical(names),
            keys.DONOR: pd.Categorical([f"donor {number + 1}" for number in donor]),
            keys.ARRAY_X: x,
            keys.ARRAY_Y: y,
        },
        index=[f"{name}_{i}x{j}" for name, i, j in zip(names, x, y, strict=True)],
    )
    adata = AnnData(obs=obs)
    adata.obsm[keys.SPATIAL] = spot_coordinates(section) / MICRONS_PER_PIXEL
    scale = {keys.MICRONS_PER_PIXEL: MICRONS_PER_PIXEL, keys.SPOT_DIAMETER: 0.55 * PITCH_UM / MICRONS_PER_PIXEL}
    adata.uns[keys.SPATIAL] = {name: {"scalefactors": dict(scale)} for name in np.unique(names)}
    adata.uns[keys.DATASET] = {
        "name": NAME,
        "licence": "MIT",
        "source": "drawn by this package",
        "experts": {"expression": EXPRESSION, "morphology": MORPHOLOGY},
    }
    return adata


def _fields(section: NDArray[np.int64], n: int, range_um: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return smooth normal fields on the sections (spot, field)."""
    return normal_fields(spot_coordinates(section), section, n_fields=n, spatial_range=range_um, rng=rng)


def _bits(section: NDArray[np.int64], range_um: float, rng: np.random.Generator) -> dict[str, NDArray[np.int64]]:
    """Return every bit by name (spot,): where its field is positive."""
    niche = ("n1", "n2")
    names = [name for name in dict.fromkeys((*FIRST, *SECOND)) if name not in niche]
    near = _fields(section, len(names), range_um, rng)
    far = _fields(section, len(niche), NICHE_RANGE_UM if range_um > 0 else 0, rng)
    values = dict(zip((*names, *niche), np.hstack([near, far]).T, strict=True))
    return {name: (field > 0).astype(np.int64) for name, field in values.items()}


def _label(adata: AnnData, bits: Mapping[str, NDArray[np.int64]]) -> None:
    """Write every task with its truth, and the niches of the rings around each spot."""
    for task, (names, rule) in RULES.items():
        values = np.asarray(rule(*(bits[name] for name in names)))
        truth = {term: float(value) for term, value in asdict(simulated_truth(task)).items()}
        set_labels(adata, task, [f"class {value}" for value in values], truth_bits=truth)
    niche = 2 * bits["n1"] + bits["n2"]
    columns = [f"niche {number}" for number in range(4)]
    label_rings(adata, NAME, pd.DataFrame(np.eye(4)[niche], index=adata.obs_names, columns=columns))
