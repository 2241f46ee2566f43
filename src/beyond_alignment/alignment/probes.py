"""A linear probe whose confidence is set on training groups that it was not fitted on."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from beyond_alignment.fusion.rehearsal import SMOOTHING, smoothed

_WEIGHTS = np.linspace(0, 1, 21)
_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)


def class_frequencies(y: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Smoothed frequencies (class,) of labels (sample,) from 0, so that an unseen class keeps a finite cost."""
    return smoothed(np.bincount(y, minlength=n_classes))


def _predict(model: Pipeline, x: NDArray[np.float64], n_classes: int, n_train: int) -> NDArray[np.float64]:
    """Probabilities (sample, class) over all classes, smoothed as the frequencies are."""
    p = np.zeros((len(x), n_classes))
    p[:, model.classes_] = model.predict_proba(x)
    return (n_train * p + SMOOTHING) / (n_train + SMOOTHING * n_classes)


def _log_likelihoods(p: NDArray[np.float64], frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean log-likelihood (weight,) of the mixtures of a prediction with the class frequencies."""
    return np.array([np.log(w * p + (1 - w) * frequencies).mean() for w in _WEIGHTS])


def probe_probabilities(
    x_train: NDArray[np.float64],
    y_train: NDArray[np.int64],
    groups: NDArray[np.int64],
    x_test: NDArray[np.float64],
    *,
    n_classes: int,
    seed: int,
) -> NDArray[np.float64]:
    """Class probabilities (sample, class) of test samples from a logistic regression fitted on training samples.

    A third of the training groups, of which there are at least two, chooses the penalty and how far the prediction is
    drawn to the class frequencies; then the probe is fitted on all of them. A probe that has learnt nothing thus costs
    nothing, instead of being charged for its confidence.
    """
    splitter = GroupShuffleSplit(n_splits=1, test_size=1 / 3, random_state=seed)
    inner, held = next(splitter.split(x_train, groups=groups))
    candidates = tuple(
        make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000, random_state=seed)) for c in _PENALTIES
    )
    if len(np.unique(y_train[inner])) < 2:
        return np.tile(class_frequencies(y_train, n_classes), (len(x_test), 1))
    inner_frequencies = class_frequencies(y_train[inner], n_classes)[y_train[held]]
    rows = np.arange(len(held))
    scores = np.stack(
        [
            _log_likelihoods(
                _predict(model.fit(x_train[inner], y_train[inner]), x_train[held], n_classes, len(inner))[
                    rows, y_train[held]
                ],
                inner_frequencies,
            )
            for model in candidates
        ]
    )
    best, weight = np.unravel_index(scores.argmax(), scores.shape)
    model = candidates[best].fit(x_train, y_train)
    p = _predict(model, x_test, n_classes, len(x_train))
    return _WEIGHTS[weight] * p + (1 - _WEIGHTS[weight]) * class_frequencies(y_train, n_classes)
