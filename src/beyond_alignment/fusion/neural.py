"""A trained network as a fusion method: the estimator around any network of the registry."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device, resolve_device
from beyond_alignment.fusion.base import Fusion, TrainingSet
from beyond_alignment.fusion.batches import SpotSet
from beyond_alignment.fusion.network import FusionNetwork, Shape
from beyond_alignment.fusion.pairs import Means
from beyond_alignment.fusion.probe import Kind
from beyond_alignment.fusion.reduction import reduction_of
from beyond_alignment.fusion.training import Outcome, TrainingPlan, n_trained, train_together
from beyond_alignment.fusion.width import build, widest

AT_ONCE = 4096


class NeuralFusion(Fusion):
    """A network trained on reduced embeddings, then frozen and read by the common probe.

    Its own training head takes no part in predictions. A set smaller than the batch is used whole at each step, a
    single spot included.

    Parameters
    ----------
    network
        Class of the network.
    kind
        ``classification`` or ``regression``.
    n_components
        Components that each modality is reduced to.
    seed
        Of the first weights, the minibatches and the noise, and of inner folds where there are no groups.
    dimension
        Features of the representation.
    width
        The network's size; the largest within the budget when None.
    budget
        Trained parameters at most, heads of the training objective included.
    steps
        Updates.
    batch_size
        Spots an update.
    learning_rate
        Largest learning rate.
    weight_decay
        Decoupled decay of AdamW.
    device
        Where training runs, and representations are computed if there is such a device; weights stay on the CPU.
    reads_neighbours
        Whether the network is shown the neighbours of a spot.
    options
        Hyper-parameters of the network beside its width.

    Attributes
    ----------
    reductions_
        Of both modalities.
    network_
        The trained network.
    width_
        Its width.
    losses_
        Training objective at each step (step,).
    """

    def __init__(
        self,
        network: type[FusionNetwork],
        *,
        kind: Kind = "classification",
        n_components: int = 50,
        seed: int = 0,
        dimension: int = 64,
        width: int | None = None,
        budget: int = 20_000,
        steps: int = 200,
        batch_size: int = 64,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-2,
        device: Device = "auto",
        reads_neighbours: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(kind=kind, n_components=n_components, seed=seed)
        self.network = network
        self.dimension = dimension
        self.width = width
        self.budget = budget
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.device = device
        self.reads_neighbours = reads_neighbours
        self.options = options

    def train(self, given: TrainingSet) -> None:
        """Check a training set and train the network on it."""
        spots = self.prepare(given)
        plan = self.plan()
        self.finish(train_together([self.network_], [spots], [plan], device=resolve_device(self.device))[0])

    def plan(self) -> TrainingPlan:
        """Return how the network is trained.

        Raises
        ------
        InputError
            If there is nothing to train.
        """
        if min(self.steps, self.batch_size) < 1:
            msg = f"{self.steps} steps of {self.batch_size} spots train nothing: pass at least 1 of each."
            raise InputError(msg)
        return TrainingPlan(self.learning_rate, self.weight_decay, self.steps, self.batch_size, self.seed)

    def _represent(self, expression: NDArray[np.float64], morphology: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._represent_near((expression, morphology), np.zeros((len(expression), 0), dtype=np.int64))

    def prepare(self, given: TrainingSet) -> SpotSet:
        """Check a training set, reduce both modalities and build the untrained network.

        Parameters
        ----------
        given
            Training spots.

        Returns
        -------
        SpotSet
            What the network is trained on.
        """
        pair, labels, neighbours = self._check(given)
        self.reductions_ = tuple(reduction_of(x, self.n_components) for x in pair)
        if self.kind == "classification":
            classes, codes = np.unique(labels, return_inverse=True)
            y, n_outputs = torch.from_numpy(codes.astype(np.int64)), len(classes)
        else:
            targets = labels.reshape(len(labels), -1).astype(np.float64)
            spread = targets.std(axis=0)
            y = torch.from_numpy((targets - targets.mean(axis=0)) / np.where(spread > 0, spread, 1)).float()
            n_outputs = targets.shape[1]
        spots = self._spots(pair, neighbours)
        shape = Shape(spots.x1.shape[1], spots.x2.shape[1], n_outputs, self.kind, self.dimension)
        options = dict(self.options or {})
        self.width_ = self.width or widest(self.network, shape, budget=self.budget, options=options)
        self.network_ = build(self.network, shape, width=self.width_, seed=self.seed, options=options)
        return SpotSet(spots.x1, spots.x2, y, spots.neighbours)

    def _spots(self, pair: Means, neighbours: NDArray[np.int64]) -> SpotSet:
        """Return reduced spots without labels."""
        x1, x2 = (
            torch.from_numpy(reduction.transform(x)).float()
            for reduction, x in zip(self.reductions_, pair, strict=True)
        )
        near = neighbours if self.reads_neighbours else neighbours[:, :0]
        return SpotSet(x1, x2, torch.zeros(len(x1), dtype=torch.int64), torch.from_numpy(near))

    def finish(self, outcome: Outcome) -> None:
        """Take a finished training.

        Raises
        ------
        FloatingPointError
            If it diverged.
        """
        self.losses_ = outcome.losses
        self.network_.eval()
        if outcome.diverged_at is not None:
            msg = (
                f"{self.network.__name__} diverged at step {outcome.diverged_at + 1} of {self.steps}: its objective is "
                f"not finite; lower the learning rate, which is {self.learning_rate:g}."
            )
            raise FloatingPointError(msg)

    def _represent_near(self, pair: Means, neighbours: NDArray[np.int64]) -> NDArray[np.float64]:
        return self.represent_spots(self._spots(pair, neighbours))

    def represent_spots(self, spots: SpotSet) -> NDArray[np.float64]:
        """Return the representation of reduced spots (spot, feature), computed where there is a GPU on that.

        Raises
        ------
        FloatingPointError
            If it is not finite.
        """
        where = torch.device("cpu") if self.device == "cpu" else resolve_device("auto")
        there = SpotSet(*(values.to(where) for values in (spots.x1, spots.x2, spots.y, spots.neighbours)))
        self.network_.to(where)
        with torch.no_grad():
            parts = [self.network_(there.batch(rows)) for rows in torch.arange(len(spots), device=where).split(AT_ONCE)]
        self.network_.to("cpu")
        z = torch.cat(parts).double().cpu().numpy()
        if not np.isfinite(z).all():
            msg = f"{self.network.__name__} gives a representation that is not finite: lower the learning rate."
            raise FloatingPointError(msg)
        return z

    @property
    def _n_representation_parameters(self) -> int:
        return n_trained(self.network_) + sum(reduction.n_parameters_ for reduction in self.reductions_)
