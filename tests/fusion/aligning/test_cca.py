"""CCA as a fusion method, through the interface that all methods share."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cross_decomposition import CCA

from beyond_alignment.errors import InputError
from beyond_alignment.fusion import make_fusion

N = 400


@pytest.fixture(scope="module")
def task():
    """A bit that both modalities share and a bit of each alone; labels are the three bits."""
    rng = np.random.default_rng(0)
    shared, only1, only2 = rng.integers(0, 2, (3, N))
    x1, x2 = (
        (2.0 * np.column_stack([shared, only]) - 1) @ np.linalg.qr(rng.normal(size=(6, 6)))[0][:2]
        + 0.2 * rng.normal(size=(N, 6))
        for only in (only1, only2)
    )
    return (x1, x2), shared, only1, only2


def test_its_representation_is_the_peers_up_to_sign_and_scale(task):
    pair, labels, *_ = task
    z = make_fusion("cca", dimension=4, regularisation=0.0).fit(pair, labels).transform(pair)
    theirs = np.hstack(CCA(n_components=2, max_iter=5000, tol=1e-12).fit(*pair).transform(*pair))
    for ours, peer in zip(z.T, theirs.T, strict=True):
        assert abs(np.corrcoef(ours, peer)[0, 1]) == pytest.approx(1, abs=1e-4)


def test_one_direction_a_modality_holds_the_shared_bit_alone(task):
    pair, shared, only1, _ = task
    accuracy = [
        np.mean(make_fusion("cca", dimension=2).fit(pair, label).predict(pair) == label) for label in (shared, only1)
    ]
    assert accuracy[0] > 0.95
    assert accuracy[1] < 0.6


def test_every_feature_beyond_the_directions_is_zero_and_all_keep_their_place(task):
    pair, labels, *_ = task
    model = make_fusion("cca").fit(pair, labels)
    z = model.transform(pair)
    assert z.shape == (N, 64)
    held = z.any(axis=0)
    assert held[:6].all()
    assert held[32:38].all()
    assert held.sum() == 12
    assert np.array_equal(z, clone(model).fit(pair, labels).transform(pair))
    assert model.n_parameters_ > 2 * 6 * 6


@pytest.mark.parametrize("kind", ["zero", "constant", "duplicated features", "more features than spots", "two spots"])
def test_degenerate_modalities(task, kind):
    (x1, x2), labels, *_ = task
    rng = np.random.default_rng(0)
    x1 = {
        "zero": np.zeros_like(x1),
        "constant": np.full_like(x1, 4.2),
        "duplicated features": np.tile(x1[:, :1], 6),
        "more features than spots": rng.normal(size=(N, 500)),
        "two spots": x1,
    }[kind]
    n = {"more features than spots": 20, "two spots": 2}.get(kind, N)
    labels = np.arange(n) % 2 if kind == "two spots" else labels[:n]
    model = make_fusion("cca").fit((x1[:n], x2[:n]), labels)
    z = model.transform((x1, x2))
    assert np.isfinite(z).all()
    assert np.isfinite(model.predict_proba((x1, x2))).all()
    if kind in ("zero", "constant", "two spots"):
        assert not z.any()  # nothing to align: the prediction is the frequencies
        assert np.ptp(model.predict_proba((x1, x2)), axis=0) == pytest.approx([0, 0], abs=1e-6)
    else:
        assert z.any()


def test_an_odd_dimension_is_refused(task):
    pair, labels, *_ = task
    with pytest.raises(InputError, match="even"):
        make_fusion("cca", dimension=5).fit(pair, labels)
