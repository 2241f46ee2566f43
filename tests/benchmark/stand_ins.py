"""Tissue and ways to fit for tests of the grid."""

import numpy as np

from beyond_alignment.benchmark.cells import Failure, fit_one_by_one
from beyond_alignment.benchmark.problem import Contest
from beyond_alignment.tasks.labels import set_labels
from tests.tissue import make_tissue

METHODS = ("expression_only", "morphology_only", "concat", "late_average")
CONTESTS = [
    Contest("niche", "section", method, "pca", "mobilenetv2_200um", seed) for method in METHODS for seed in range(2)
]


def two_bits(side=5):
    """Return tissue with two experts, each of which holds one of the two bits of a four-class label."""
    adata = make_tissue(side=side)
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (adata.n_obs, 2))
    for name, bit in (("pca", bits[:, 0]), ("mobilenetv2_200um", bits[:, 1])):
        adata.obsm[f"X_{name}"] = np.outer(2 * bit - 1, np.ones(6)) + rng.normal(size=(adata.n_obs, 6))
    set_labels(adata, "niche", np.array(["00", "01", "10", "11"])[2 * bits[:, 0] + bits[:, 1]])
    return {"her2st": adata}


class Counted:
    """Fit one by one, and count the cells."""

    def __init__(self):
        self.sizes = []

    def __call__(self, estimators, sets):
        self.sizes.append(len(estimators))
        return fit_one_by_one(estimators, sets)


class Failing(Counted):
    """Fail, in one way or another, on the training set of one size of late average."""

    def __init__(self, n_train):
        super().__init__()
        self.n_train = n_train

    def __call__(self, estimators, sets):
        found = super().__call__(estimators, sets)
        bad = [type(one).__name__ == "LateAverage" and len(given.labels) == self.n_train
               for one, given in zip(estimators, sets, strict=True)]  # fmt: skip
        reason = Failure("The loss became infinite in step 3.")
        return [reason if out else one for one, out in zip(found, bad, strict=True)]


class Here:
    """A context of processes whose pool runs in this process."""

    def Pool(self, n):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def apply(self, function, arguments):
        return function(*arguments)
