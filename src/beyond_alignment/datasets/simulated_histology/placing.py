"""Cells of simulated tissue: where they lie, of which type, along which direction."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from beyond_alignment.datasets.simulated_histology.compartments import NICHES, Compartments, Ring
from beyond_alignment.datasets.simulated_histology.random_fields import at_cells_of, at_points, jittered_lattice

CELL_TYPES = ("fibroblast", "epithelial", "tumour", "lymphocyte", "endothelial", "adipocyte")
_APART_UM = 5.0
# compartment -> spacing of its cells in microns, jitter in spacings, types with their shares
_FILL: dict[str, tuple[float, float, dict[str, float]]] = {
    "stroma": (21.0, 0.32, {"fibroblast": 0.82, "lymphocyte": 0.18}),
    "glands": (19.0, 0.32, {"fibroblast": 0.8, "lymphocyte": 0.2}),
    "solid tumour": (11.3, 0.17, {"tumour": 0.95, "lymphocyte": 0.05}),
    "immune": (8.2, 0.2, {"lymphocyte": 0.9, "fibroblast": 0.1}),
    "fat": (45.0, 0.3, {"fibroblast": 0.7, "lymphocyte": 0.3}),
}


def place_cells(rng: np.random.Generator, plan: Compartments) -> pd.DataFrame:
    """Place the cells of a field: around lumens, in the compartments, on the rims of fat vacuoles.

    Parameters
    ----------
    rng
        Decides places and types.
    plan
        Of the field.

    Returns
    -------
    pandas.DataFrame
        A row a cell: x_um, y_um; cell_type; niche; angle, the direction of its long axis in radians.
    """
    parts = [_on_ring(rng, ring) for ring in plan.rings]
    parts.append(_on_fat(rng, plan))
    for code, niche in enumerate(NICHES):
        spacing, jitter, shares = _FILL[niche]
        points = jittered_lattice(rng, plan.size_um, spacing, jitter=jitter)
        kind = rng.choice(len(shares), size=len(points), p=list(shares.values()))
        types = np.array([CELL_TYPES.index(name) for name in shares])[kind]
        keep = (at_cells_of(plan.niches, points, plan.size_um) == code) & ~covered(plan, points)
        angle = _fibre_angle(plan, points) + 0.25 * rng.standard_normal(len(points))
        angle = np.where(types == CELL_TYPES.index("fibroblast"), angle, rng.uniform(0, np.pi, len(points)))
        parts.append(np.column_stack([points, types, angle])[keep])
    cells = np.vstack(parts)
    inside = ((cells[:, :2] >= 0.0) & (cells[:, :2] < plan.size_um)).all(axis=1)
    cells = _apart(cells[inside])
    home = at_cells_of(plan.niches, cells[:, :2], plan.size_um)
    return pd.DataFrame(
        {
            "x_um": cells[:, 0],
            "y_um": cells[:, 1],
            "cell_type": pd.Categorical.from_codes(cells[:, 2].astype(int), categories=list(CELL_TYPES)),
            "niche": pd.Categorical.from_codes(home, categories=list(NICHES)),
            "angle": cells[:, 3] % np.pi,
        }
    )


def covered(plan: Compartments, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which points lie in a ring or in a fat vacuole (point,)."""
    taken = np.zeros(len(points), dtype=bool)
    if len(points) == 0:
        return taken
    tree = cKDTree(points)
    for ring in plan.rings:
        near = np.asarray(tree.query_ball_point((ring.x, ring.y), float(ring.outer.max()) + 3.0), dtype=np.int64)
        dx, dy = points[near, 0] - ring.x, points[near, 1] - ring.y
        taken[near] |= np.hypot(dx, dy) < ring.at(np.arctan2(dy, dx))[0] + 2.5
    if len(plan.fat) > 1:
        distance, nearest = cKDTree(plan.fat).query(points, k=2)
        within = (distance[:, 1] - distance[:, 0] > 6.0) & (distance[:, 0] < 30.0)
        taken |= plan.is_fat[nearest[:, 0]] & within
    return taken


def _on_ring(rng: np.random.Generator, ring: Ring) -> NDArray[np.float64]:
    """Return x, y, type, angle of the cells of a gland or a vessel (cell, 4)."""
    spacing = 6.6 if ring.gland else 15.0
    n = max(3, int(2.0 * np.pi * float(ring.outer.mean()) / spacing))
    rows = []
    for row in range(2 if ring.gland else 1):
        turn = (np.arange(n) + 0.5 * row + 0.22 * rng.standard_normal(n)) * (2.0 * np.pi / n)
        outer, inner = ring.at(turn)
        wall = outer - inner
        radius = (
            outer - (5.6 + 8.5 * row if ring.gland else 1.6) + (1.2 if ring.gland else 0.3) * rng.standard_normal(n)
        )
        keep = (wall > 9.0 + 11.0 * row) & (rng.random(n) < (1.0, 0.55)[row]) if ring.gland else wall > 0.0
        lean = turn + (0.0 if ring.gland else np.pi / 2.0) + 0.18 * rng.standard_normal(n)
        kind = np.full(n, CELL_TYPES.index("epithelial" if ring.gland else "endothelial"))
        place = (ring.x + radius * np.cos(turn), ring.y + radius * np.sin(turn), kind, lean)
        rows.append(np.column_stack(place)[keep])
    return np.vstack(rows)


def _on_fat(rng: np.random.Generator, plan: Compartments) -> NDArray[np.float64]:
    """Return x, y, type, angle of one nucleus on the rim of each adipocyte (cell, 4)."""
    chosen = np.flatnonzero(plan.is_fat)
    if len(chosen) == 0:
        return np.empty((0, 4))
    _, near = cKDTree(plan.fat).query(plan.fat[chosen], k=min(4, len(plan.fat)))
    other = near[np.arange(len(chosen)), rng.integers(1, near.shape[1], len(chosen))]
    step = plan.fat[other] - plan.fat[chosen]
    middle = plan.fat[chosen] + 0.46 * step
    angle = np.arctan2(step[:, 1], step[:, 0]) + np.pi / 2.0
    return np.column_stack([middle, np.full(len(chosen), CELL_TYPES.index("adipocyte")), angle])


def _fibre_angle(plan: Compartments, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the direction of the fibres at points in radians (point,)."""
    slope_y, slope_x = (at_points(np.gradient(plan.across, axis=axis), points, plan.size_um) for axis in (0, 1))
    return np.arctan2(slope_x, -slope_y)


def _apart(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cells without those that lie on an earlier one."""
    pairs = cKDTree(cells[:, :2]).query_pairs(_APART_UM, output_type="ndarray")
    keep = np.ones(len(cells), dtype=bool)
    keep[pairs.max(axis=1) if len(pairs) else []] = False
    return cells[keep]
