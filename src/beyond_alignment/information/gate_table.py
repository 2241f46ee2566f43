"""The exact decomposition of every gate, by two measures side by side."""

import pandas as pd

from beyond_alignment.information.broja import broja
from beyond_alignment.information.gates import GATES, gate
from beyond_alignment.information.imin import IminDecomposition, imin
from beyond_alignment.information.pid import PID

EXACT, COMPARED = "BROJA", "I_min"
TOLERANCE = 1e-10


def decompose_gates() -> pd.DataFrame:
    """Decompose every gate by the measures of Bertschinger et al. (2014) and of Williams & Beer (2010).

    Returns
    -------
    pandas.DataFrame
        Two rows a gate: gate, measure (``BROJA`` or ``I_min``), I1, I2, I12, redundancy, unique1, unique2, synergy in
        bits; for BROJA also synergy_additive, synergy_interaction, gap in bits and sis, without unit.
    """
    rows = []
    for name in GATES:
        exact = broja(gate(name), tolerance=TOLERANCE)
        parts = {term: round(getattr(exact, term), 9) for term in ("synergy_additive", "synergy_interaction", "sis")}
        parts["gap"] = exact.gap
        rows.append({"gate": name, "measure": EXACT} | _four(exact) | parts)
        rows.append({"gate": name, "measure": COMPARED} | _four(imin(gate(name))))
    return pd.DataFrame(rows)


def _four(pid: PID | IminDecomposition) -> dict[str, float]:
    """Return what every measure has, rounded to what is certified."""
    names = ("I1", "I2", "I12", "redundancy", "unique1", "unique2", "synergy")
    return {name: round(getattr(pid, name), 9) + 0.0 for name in names}
