"""What enters the first trained block: computed once for each spot and kept, or anew for each batch."""

import torch
from torch import Tensor

from beyond_alignment.errors import InputError
from beyond_alignment.experts.finetuning.settings import FinetuneSettings
from beyond_alignment.experts.finetuning.stages import Stages

AT_ONCE = 64


class Activations:
    """Tokens of spots before the trained blocks.

    Parameters
    ----------
    stages
        The network, on its device, in evaluation mode.
    raw
        Spots as it reads them (spot, ...).
    settings
        Blocks that are trained, views, and in which numbers tokens are kept: 50 tokens of 192 features take 38 kB a
        spot and view in float32, half of it in float16.

    Raises
    ------
    InputError
        If there are not so many views, or float16 does not hold the tokens.
    """

    def __init__(self, stages: Stages, raw: Tensor, settings: FinetuneSettings) -> None:
        if settings.views > stages.n_views:
            msg = f"{stages.name} reads {stages.n_views} view(s) of a spot, not {settings.views}: ask for fewer."
            raise InputError(msg)
        self.stages, self.raw, self.n_blocks = stages, raw, settings.n_blocks
        self.device = next(stages.parameters()).device
        self.kept: list[Tensor] = []
        if settings.kept == "none":
            return
        dtype = torch.float16 if settings.kept == "float16" else torch.float32
        for view in range(settings.views):
            parts = [self._enter(rows, view).to("cpu", dtype) for rows in torch.arange(len(raw)).split(AT_ONCE)]
            self.kept.append(torch.cat(parts))
            if not bool(self.kept[-1].isfinite().all()):
                msg = f"The tokens within {stages.name} are not finite in {settings.kept}: keep them in float32."
                raise InputError(msg)

    def __len__(self) -> int:
        """Return the number of spots."""
        return len(self.raw)

    def _enter(self, rows: Tensor, view: int) -> Tensor:
        """Run the frozen part."""
        with torch.no_grad():
            return self.stages.enter(self.stages.turned(self.raw[rows], view).to(self.device), self.n_blocks)

    def of(self, rows: Tensor, views: Tensor | None = None) -> Tensor:
        """Return the tokens of spots (spot, ...) in float32 on the network's device.

        Parameters
        ----------
        rows
            Which spots (spot,).
        views
            Which view of each (spot,); the first of all when None.
        """
        if views is None:
            views = torch.zeros_like(rows)
        kinds = views.unique().tolist()
        if len(kinds) == 1:
            return self._of_view(rows, kinds[0])
        parts = [self._of_view(rows[views == view], view) for view in kinds]
        order = torch.cat([torch.nonzero(views == view)[:, 0] for view in kinds])
        return torch.cat(parts)[torch.argsort(order).to(self.device)]

    def _of_view(self, rows: Tensor, view: int) -> Tensor:
        """Return the tokens of one view of spots."""
        return self.kept[view][rows].float().to(self.device) if self.kept else self._enter(rows, view)
