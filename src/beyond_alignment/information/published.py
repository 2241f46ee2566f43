"""What the published score is in terms of information, gate by gate."""

import pandas as pd

from beyond_alignment.errors import InputError
from beyond_alignment.information.discrete import joint_informations
from beyond_alignment.information.gates import GATES, gate
from beyond_alignment.information.sis import sis_gain

# Bits, by hand: where one source decides y alone, or the two decide a bit of it each, there is no synergy; where both
# sources have the same joint distribution with y neither has unique information, so that R = I1 and S = I12 - I1.
NO_SYNERGY = ("redundant", "unique1", "unique2", "copy")


def published_score_of_gates() -> pd.DataFrame:
    """Apply the published score to exact mutual informations of textbook gates.

    Returns
    -------
    pandas.DataFrame
        One row a gate: I1, I2, I12 in bits, the score on them (``undefined`` where no source tells anything alone),
        and the gate's synergy in bits by the measure of Bertschinger et al. (2014), which for these follows by hand.
    """
    rows = []
    for name in GATES:
        found = joint_informations(gate(name))
        try:
            score: float | str = round(float(sis_gain(found.I12, found.I1, found.I2)), 9) + 0.0
        except InputError:
            score = "undefined"
        synergy = 0.0 if name in NO_SYNERGY else found.I12 - found.I1
        rows.append(
            {"gate": name, "I1": found.I1, "I2": found.I2, "I12": found.I12, "score": score, "synergy": synergy}
        )
    return pd.DataFrame(rows)
