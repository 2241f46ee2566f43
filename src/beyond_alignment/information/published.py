"""What the published score is in terms of information, gate by gate."""

import pandas as pd

from beyond_alignment.errors import InputError
from beyond_alignment.information.gate_table import EXACT, decompose_gates
from beyond_alignment.information.sis import sis_gain


def published_score_of_gates() -> pd.DataFrame:
    """Apply the published score to exact mutual informations of textbook gates.

    Returns
    -------
    pandas.DataFrame
        One row a gate: I1, I2, I12 in bits, the score on them (``undefined`` where no source tells anything alone),
        and of the gate's exact decomposition the synergy in bits and its share of I12, sis.
    """
    table = decompose_gates()
    rows = []
    for found in table[table["measure"] == EXACT].to_dict(orient="records"):
        try:
            score: float | str = round(float(sis_gain(found["I12"], found["I1"], found["I2"])), 9) + 0.0
        except InputError:
            score = "undefined"
        row = {name: found[name] for name in ("gate", "I1", "I2", "I12")}
        rows.append(row | {"score": score, "synergy": found["synergy"], "sis": found["sis"]})
    return pd.DataFrame(rows)
