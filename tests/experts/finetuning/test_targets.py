"""Labels in and out, at the boundary where a user's arrays come in."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning.head import losses_by_confidence, probe_head
from beyond_alignment.experts.finetuning.targets import read_targets


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12), st.booleans())
def test_targets_come_back_in_their_own_units(values, flat):
    labels = np.array(values) if flat else np.column_stack([values, np.arange(len(values))])
    if flat and np.ptp(labels) < 1e-6:
        return
    found, y, _ = read_targets(labels, np.arange(len(values)), n=len(values), kind="regression")
    assert float(y.double().std(dim=0, correction=0).max()) == pytest.approx(1.0, abs=1e-3)
    back = found.predictions(y)
    assert back.shape == labels.shape
    np.testing.assert_allclose(back, labels, atol=1e-5 * (1 + np.abs(labels).max()))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=12))
def test_classes_come_back(values):
    groups = np.arange(len(values))
    if len(set(values)) < 2:
        with pytest.raises(InputError, match="two classes"):
            read_targets(values, groups, n=len(values), kind="classification")
        return
    found, y, _ = read_targets(values, groups, n=len(values), kind="classification")
    logits = torch.nn.functional.one_hot(y) * 9.0
    assert found.predictions(logits).tolist() == values
    np.testing.assert_allclose(found.probabilities(logits).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("labels", "groups", "kind", "message"),
    [
        (["a", "b"], ["x"], "classification", "do not match"),
        (["a", "b", "a"], ["x", "y"], "classification", "do not match"),
        ([["a"], ["b"]], ["x", "y"], "classification", "do not match"),
        (["a", None], ["x", "y"], "classification", "1 of 2 spots lack"),
        ([1.0, np.nan], ["x", "y"], "regression", "lack"),
        ([1.0, np.inf], ["x", "y"], "regression", "not finite"),
        ([1.0, 1.0], ["x", "y"], "regression", "never vary"),
        ([1.0, 2.0], ["x", "y"], "ranking", "choose classification"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(labels, groups, kind, message):
    with pytest.raises(InputError, match=message):
        read_targets(np.array(labels, dtype=object if None in labels else None), groups, n=2, kind=kind)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_head_is_the_probe_of_sklearn(n_classes):
    rng = np.random.default_rng(0)
    z = (rng.normal(size=(90, 5)) * [1, 2, 3, 4, 5] + 7).astype(np.float32)
    y = rng.integers(0, n_classes, 90)
    head = probe_head(z, torch.from_numpy(y), kind="classification", n_outputs=n_classes, penalty=0.01)
    scaled = (z - z.mean(axis=0)) / z.std(axis=0)
    peer = LogisticRegression(C=1 / 0.9, max_iter=2000).fit(scaled, y).predict_proba(scaled)
    found = head(torch.from_numpy(z)).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(found, peer, atol=1e-3)


def test_a_class_that_the_inner_part_lacks_keeps_a_finite_cost():
    z = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    y = torch.from_numpy(np.repeat([0, 2], 20))
    head = probe_head(z, y, kind="classification", n_outputs=4, penalty=0.1)
    p = head(torch.from_numpy(z)).softmax(dim=1).detach().numpy()
    assert (p[:, [1, 3]] > 1e-3).all()
    assert (p[:, [1, 3]] < 0.1).all()
    only = probe_head(z, torch.zeros(40, dtype=torch.int64), kind="classification", n_outputs=2, penalty=0.1)
    np.testing.assert_allclose(only(torch.from_numpy(z)).softmax(dim=1).detach().numpy()[:, 1], 0.5 / 40.5, rtol=1e-4)


def test_confidence_pays_where_a_head_is_too_sure():
    logits, y = torch.tensor([[9.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 1])
    losses = losses_by_confidence(logits, y, kind="classification")
    assert np.argmin(losses) == len(losses) - 1
    assert losses[0] == pytest.approx(np.log1p(np.exp(-9.0)) / 2 + np.log1p(np.exp(9.0)) / 2, rel=1e-4)
