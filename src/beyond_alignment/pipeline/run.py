"""The ordered run of a profile: what is fresh is kept, what is not is run again."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from beyond_alignment.pipeline.execute import execute_page
from beyond_alignment.pipeline.freshness import stale_because
from beyond_alignment.pipeline.leftovers import remove_leftovers
from beyond_alignment.pipeline.lock import run_lock
from beyond_alignment.pipeline.profiles import PagePlan, load_profile, select
from beyond_alignment.pipeline.progress import RunProgress
from beyond_alignment.pipeline.publish import publish
from beyond_alignment.results.locations import QUICK


@dataclass(frozen=True)
class RunReport:
    """What a run did.

    Attributes
    ----------
    executed
        Pages that were run, in order.
    skipped
        Pages that were fresh.
    published
        Notebooks whose committed outputs changed.
    """

    executed: tuple[str, ...]
    skipped: tuple[str, ...]
    published: tuple[Path, ...]


def run_book(
    profile_name: str = QUICK,
    *,
    only: list[str] | None = None,
    start: str | None = None,
    device: str = "auto",
    force: bool = False,
    console: Console | None = None,
) -> RunReport:
    """Run the pages of a profile that are not fresh, in order.

    A page counts as finished once its manifest is written, so that a run that is killed goes on from there. When all
    pages of the quick profile are fresh at the end, their outputs are copied over ``notebooks/``.

    Parameters
    ----------
    profile_name
        Name of the profile.
    only
        Pages to consider, by name or number; all when empty.
    start
        First page to consider.
    device
        ``auto``, ``cpu`` or ``cuda``.
    force
        Whether to run fresh pages as well.
    console
        Where progress is shown.

    Raises
    ------
    InputError
        If profile, page or parameter is unknown, or the profile is already being run.
    PageError
        If a page fails; the pages before it stay finished.
    """
    console = console or Console(stderr=True)
    profile = load_profile(profile_name)
    plans = select(profile, only=only, start=start)
    with run_lock(profile.name):
        remove_leftovers(profile.name)
        executed, skipped = _run_all(plans, device=device, force=force, console=console)
        whole = profile.name == QUICK and not any(stale_because(plan) for plan in profile.pages)
        published = tuple(publish(profile)) if whole else ()
    return RunReport(executed, skipped, published)


def _run_all(
    plans: tuple[PagePlan, ...], *, device: str, force: bool, console: Console
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Run what is stale; freshness is asked page by page, since a page can change the inputs of the next."""
    executed, skipped = [], []
    likely = [plan for plan in plans if force or stale_because(plan)]
    with RunProgress(likely, console) as progress:
        for plan in plans:
            causes = stale_because(plan) or (["asked for"] if force else [])
            if not causes:
                skipped.append(plan.name)
                continue
            progress.start(plan.name, causes)
            progress.finish(execute_page(plan, device=device, on_cell=progress.cell))
            executed.append(plan.name)
    return tuple(executed), tuple(skipped)
