"""One probe at a time."""

import numpy as np

from beyond_alignment.fusion.probe import ProbeProblem, fit_probes


def fit_probe(z, y, **options):
    """The probe of one representation, settings chosen."""
    return fit_probes([ProbeProblem(z, np.asarray(y), **options)])[0]
