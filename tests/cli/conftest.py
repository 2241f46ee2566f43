"""Runs the command line in this process, on a small file of one's own, with an estimator that takes no time."""

import contextlib
import io
import shutil
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from beyond_alignment import cli
from beyond_alignment.information import estimate
from beyond_alignment.information.samples import check_samples
from tests.estimates import made_estimate

N = 240


def make_own(seed=0, n=N):
    """Spots of eight donors with two embeddings, labels of every kind and places."""
    rng = np.random.default_rng(seed)
    niche = rng.integers(3, size=n)
    obs = pd.DataFrame(
        {
            "niche": pd.Categorical(np.array(["core", "edge", "far"])[niche]),
            "donor": [f"D{i % 8}" for i in range(n)],
            "tile": [f"t{i % 24}" for i in range(n)],
            "section": "S1",
            "age": rng.normal(size=n),
            "one": "all",
            "rare": ["a", "b"] * (n // 2 - 2) + ["c"] * 4,
            "few": [f"P{i % 3}" for i in range(n)],
            "apart": [f"{k}{i % 2}" for i, k in enumerate(niche)],
            "truth": pd.array(niche == 1, dtype="boolean"),
            "whole": pd.array(niche, dtype="Int64"),
            "grade": niche.astype(float),
            "words": np.array(["nan", "edge", "far"])[niche],
            "partly": [None, "x", "y"] * (n // 3),
            "never": pd.Categorical([None] * n, categories=["x"]),
        },
        index=[f"spot {i}" for i in range(n)],
    )
    own = AnnData(X=sparse.random(n, 50, density=0.1, format="csr", random_state=seed), obs=obs)
    own.obsm["X_a"] = rng.normal(size=(n, 6)).astype(np.float32) + np.eye(6, dtype=np.float32)[niche] * 3
    own.obsm["X_b"] = rng.normal(size=(n, 4))
    own.obsm["mix"] = pd.DataFrame(rng.dirichlet([1, 1, 1], size=n), index=obs.index, columns=["T", "B", "NK"])
    own.obsm["spatial"] = np.column_stack([np.arange(n) % 16, np.arange(n) // 16]) * 100.0
    own.uns["spatial"] = {"S1": {"scalefactors": {"microns_per_pixel": 2.0}}}
    own.uns["task_niche"] = {"made_from": "neighbours"}
    return own


def fake(x1, x2, y, groups=None, *, blocks=None, method="posterior", n_bootstrap=200, n_null=19, **_):
    """Answer with a decomposition that is known, as the estimators do: after the checks."""
    samples = check_samples(x1, x2, y, groups, blocks=blocks)
    return made_estimate(
        0.4, 0.2, 0.1, 0.15, 0.05, below=0.04, above=0.02, null=[0.01] * n_null, p_synergy=0.002,
        p_interaction=float("nan"), warnings=(*samples.notes, "An <odd> one."), method=method, n=samples.n,
        n_groups=samples.n_groups, group_information=samples.group_information, classes=samples.classes,
        n_bootstrap=n_bootstrap,
    )  # fmt: skip


def run(*arguments):
    """Run the command line: exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["beyond-alignment", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as stopped,
    ):
        cli.main()
    return stopped.value.code or 0, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def faked():
    """Put the fake in the place of every estimator."""
    with mock.patch.object(estimate, "estimate_pid", fake):
        yield


@pytest.fixture
def fast():
    with faked():
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """Path of the file, for tests that leave it as it is."""
    path = tmp_path_factory.mktemp("own") / "my.h5ad"
    make_own().write_h5ad(path)
    return path


@pytest.fixture
def own(shared, tmp_path):
    """Path of the file."""
    return Path(shutil.copy(shared, tmp_path))
