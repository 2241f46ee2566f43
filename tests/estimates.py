"""Decompositions of any wanted outcome, for tests of what is said and drawn of them."""

import numpy as np
import pandas as pd

from beyond_alignment.information.estimate import MEASURED, PARTS, TERMS, PIDEstimate
from beyond_alignment.information.exact import PID, JointInformations


def made_estimate(r, u1, u2, additive, interaction, *, below=0.02, above=0.02, null=None, intervals=None, **changes):
    """A decomposition whose intervals reach `below` and `above` its terms, the parts' not below zero.

    `null` holds values of I12 of refits (by default none), whose parts are a tenth of it each; `changes` are of fields.
    """
    pid = PID(r, u1, u2, additive + interaction, additive, interaction, 0.0)
    told = changes.pop("mutual_information", JointInformations(pid.I1, pid.I2, pid.I12))
    values = {term: getattr(pid, term) for term in PARTS} | {name: getattr(told, name) for name in ("I1", "I2", "I12")}
    values["synergy_raw"] = told.I12 - pid.union_information
    lows = {term: value - below if term in MEASURED else max(value - below, 0.0) for term, value in values.items()}
    found = {term: (lows[term], values[term] + above) for term in TERMS} | (intervals or {})
    refits = pd.DataFrame({term: np.asarray(null or [], dtype=float) * (1 if term == "I12" else 0.1) for term in TERMS})
    p_information = (1 + (refits["I12"] >= told.I12).sum()) / (1 + len(refits)) if len(refits) else float("nan")
    fields = {
        "pid": pid,
        "mutual_information": told,
        "synergy_raw": values["synergy_raw"],
        "sis": None if p_information > max(0.05, 1 / (1 + len(refits))) else pid.sis,
        "intervals": found,
        "group_intervals": {},
        "null": refits,
        "group_information": 0.0,
        "p_information": p_information,
        "p_synergy": 0.001 if pid.synergy > below else 0.5,
        "p_interaction": 0.001 if interaction > below else 0.5,
        "warnings": (),
        "method": "posterior",
        "n": 4000,
        "n_groups": 10,
        "resampled": "group",
        "classes": ("a", "b"),
        "n_bootstrap": 200,
        "level": 0.95,
        "replicates": pd.DataFrame(),
    }
    return PIDEstimate(**(fields | changes))
