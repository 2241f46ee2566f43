"""Model weights that are kept like data: registered, verified, never unpickled."""

from pathlib import Path

from beyond_alignment.datasets.fetch import fetch
from beyond_alignment.datasets.registry import data_set
from beyond_alignment.errors import InputError


def weights_path(
    name: str, *, cache: str | Path | None = None, mirror: str | Path | None = None, progress: bool = True
) -> Path:
    """Return the verified safetensors file of a model.

    Parameters
    ----------
    name
        timm's name of the model, such as ``"mobilenetv2_100"``.

    Raises
    ------
    InputError
        If the registry has no weights of that name, or the file is in neither the cache nor the mirror.
    """
    known = {file.role: file.path for file in data_set("weights").files}
    if name not in known:
        msg = f"The registry has no weights of {name}: it has {', '.join(known)}."
        raise InputError(msg)
    return fetch("weights", known[name], cache=cache, mirror=mirror, progress=progress)
