"""Which pages are fresh, and what changed under those that are not."""

from beyond_alignment.pipeline import manifest
from beyond_alignment.pipeline.profiles import PagePlan


def stale_because(plan: PagePlan) -> list[str]:
    """Say why a page has to be run again; nothing is said about a fresh one.

    Parameters
    ----------
    plan
        The page.

    Returns
    -------
    list of str
        Causes such as ``the notebook changed``; empty when the page is fresh.
    """
    made = manifest.read(plan.name, plan.profile)
    if made is None:
        return ["it has not been run"]
    now = manifest.ingredients(plan)
    causes = []
    if made.notebook != now.notebook:
        causes.append("the notebook changed")
    if made.source != now.source:
        causes.append("the package changed")
    if names := _changed(made.parameters, now.parameters):
        causes.append(f"parameters changed: {', '.join(names)}")
    if names := _changed(made.inputs, now.inputs):
        causes.append(f"inputs changed: {', '.join(names)}")
    if names := _changed(made.products, manifest.products(plan.name, plan.profile)):
        causes.append(f"missing or edited since: {', '.join(names)}")
    return causes


def _changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the keys whose values differ."""
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
