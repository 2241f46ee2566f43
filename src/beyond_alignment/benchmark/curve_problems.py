"""The problems that learning curves are drawn on: tasks of releases, and simulated tissue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anndata import AnnData

from beyond_alignment.benchmark.cells import Bench
from beyond_alignment.benchmark.grid import pose_contests
from beyond_alignment.benchmark.problem import Contest, stand_ins


@dataclass(frozen=True, eq=False)
class CurveProblems:
    """Problems and which of them each contest is about.

    Attributes
    ----------
    benches
        Problem by its name.
    named
        Name of each contest's problem.
    """

    benches: Mapping[str, Bench]
    named: Mapping[Contest, str]

    def of(self, contest: Contest) -> Bench:
        """Return the problem of a contest."""
        return self.benches[self.named[contest]]

    @property
    def contests(self) -> tuple[Contest, ...]:
        """All that are posed."""
        return tuple(self.named)


def pose_curves(data_sets: Mapping[str, AnnData], contests: Sequence[Contest]) -> CurveProblems:
    """Prepare the problem of each contest once.

    Parameters
    ----------
    data_sets
        Releases by name.
    contests
        Any methods, fine-tuned experts among them.
    """
    posed = dict.fromkeys((*contests, *stand_ins(contests).values()))
    return CurveProblems(*pose_contests(data_sets, list(posed)))
