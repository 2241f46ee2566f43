"""AdamW over many models at once: their parameters lie in one (model, parameter) array, each row at its own pace."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.optim.adamw import adamw

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class StackedParameters:
    """The parameters of many models of one architecture in one array, and the same numbers by name.

    Parameters
    ----------
    models
        Parameters of each model by name, (…) each, of the same names and shapes.
    device
        Where they are kept.
    trained
        Whether they get a gradient.

    Attributes
    ----------
    values
        (model, parameter).
    named
        Views of ``values`` by name, (model, …).
    """

    def __init__(self, models: Iterable[Mapping[str, Tensor]], *, device: torch.device, trained: bool = True) -> None:
        rows = [dict(model) for model in models]
        self.shapes = {name: tensor.shape for name, tensor in rows[0].items()}
        flat = [torch.cat([torch.zeros(0), *(tensor.detach().reshape(-1) for tensor in row.values())]) for row in rows]
        self.values = torch.stack(flat).to(device)
        self._gradient = torch.empty_like(self.values) if trained else self.values
        views = zip(self.shapes, self._places(self.values), strict=True)
        self.named = {name: view.detach().requires_grad_(trained) for name, view in views}

    def gradient(self, losses: Tensor) -> Tensor:
        """Return the gradient (model, parameter) of each model's own loss (model,); the next call overwrites it."""
        found = torch.autograd.grad(losses.sum(), tuple(self.named.values()), allow_unused=True)
        for place, part in zip(self._places(self._gradient), found, strict=True):
            place.zero_() if part is None else place.copy_(part)
        return self._gradient

    def _places(self, flat: Tensor) -> list[Tensor]:
        """Return the part of each parameter (model, …) in an array (model, parameter)."""
        parts = flat.split([shape.numel() for shape in self.shapes.values()], dim=1)
        return [part.view(len(flat), *shape) for part, shape in zip(parts, self.shapes.values(), strict=True)]

    def model(self, i: int) -> dict[str, Tensor]:
        """Return a copy of the parameters of one model by name."""
        return {name: view[i].detach().clone() for name, view in self.named.items()}


class StackedAdamW:
    """AdamW (Loshchilov and Hutter 2019) for many models, with a learning rate, decay and norm limit of their own.

    On a CPU each model is moved by torch's fused AdamW, whose one pass over memory is what counts there; elsewhere all
    models are moved by the same few large operations.

    Parameters
    ----------
    parameters
        What it moves.
    learning_rates
        (model,).
    weight_decays
        (model,), decoupled from the gradient.
    clip
        Largest Euclidean norm of one model's gradient; None for no limit.
    fused
        Whether to use torch's fused AdamW; on a CPU when None.
    """

    def __init__(
        self,
        parameters: StackedParameters,
        *,
        learning_rates: Tensor,
        weight_decays: Tensor,
        clip: float | None = 1.0,
        fused: bool | None = None,
    ) -> None:
        self.values = parameters.values
        self.learning_rates = learning_rates.to(self.values)[:, None]
        self.weight_decays = weight_decays.to(self.values)[:, None]
        self.clip = clip
        self.n_steps = 0
        self.fused = self.values.device.type == "cpu" if fused is None else fused
        self.mean, self.square = torch.zeros_like(self.values), torch.zeros_like(self.values)
        self.counts = [torch.tensor(0.0) for _ in self.values] if self.fused else []

    @torch.no_grad()
    def step(self, gradient: Tensor, alive: Tensor, factor: float = 1.0) -> Tensor:
        """Move every living model against its gradient.

        Parameters
        ----------
        gradient
            (model, parameter); overwritten.
        alive
            (model,): whether a model takes part.
        factor
            On all learning rates.

        Returns
        -------
        Tensor
            (model,): ``alive`` without the models whose gradient is not finite; they are not moved.
        """
        norm = gradient.norm(dim=1)
        alive = alive & norm.isfinite()
        if self.clip is not None:
            gradient.mul_((self.clip / (norm + 1e-6)).clamp(max=1)[:, None])
        if self.fused:
            self._step_rows(gradient, alive, factor)
        else:
            self._step_all(gradient.masked_fill_(~alive[:, None], 0), alive, factor)
        return alive

    def _step_rows(self, gradient: Tensor, alive: Tensor, factor: float) -> None:
        """Move one model after the other."""
        rows = zip(self.values, gradient, self.mean, self.square, self.counts, alive.tolist(), strict=True)
        paces = zip((self.learning_rates[:, 0] * factor).tolist(), self.weight_decays[:, 0].tolist(), strict=True)
        for (value, slope, mean, square, count, living), (rate, decay) in zip(rows, paces, strict=True):
            if living:
                adamw(
                    [value],
                    [slope],
                    [mean],
                    [square],
                    [],
                    [count],
                    fused=True,
                    amsgrad=False,
                    beta1=BETAS[0],
                    beta2=BETAS[1],
                    lr=rate,
                    weight_decay=decay,
                    eps=EPSILON,
                    maximize=False,
                )

    def _step_all(self, gradient: Tensor, alive: Tensor, factor: float) -> None:
        """Move all models at once."""
        self.n_steps += 1
        first, second = BETAS
        self.mean.lerp_(gradient, 1 - first)
        self.square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        rate = self.learning_rates * factor * alive[:, None]
        root = (self.square / (1 - second**self.n_steps)).sqrt_().add_(EPSILON)
        self.values.mul_(1 - rate * self.weight_decays)
        self.values.sub_(rate / (1 - first**self.n_steps) * self.mean / root)
