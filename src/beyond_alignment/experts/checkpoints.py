"""Files of weights: read without unpickling code, compared name by name, put into a network."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from beyond_alignment.errors import InputError
from beyond_alignment.experts.record import Expert

SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
HUB_FILES = ("model.safetensors", "pytorch_model.bin")
WRAPPERS = ("state_dict", "model", "teacher")
PREFIX = "module."
NAMED = 3
COUNTER = "num_batches_tracked"


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Read a file of weights: safetensors, or torch's own format with nothing in it but tensors.

    Parameters
    ----------
    path
        Ends in ``.safetensors``, ``.bin``, ``.pt`` or ``.pth``.

    Returns
    -------
    dict[str, torch.Tensor]
        Name -> tensor on the CPU; wrappers (``state_dict``, ``model``, ``teacher``) and the prefix ``module.`` are
        taken off.

    Raises
    ------
    InputError
        If there is no such file, it cannot be read, or it holds anything but tensors.
    """
    if path.suffix not in SUFFIXES:
        msg = f"The weights file {path} ends in {path.suffix or 'nothing'}: give one of {', '.join(SUFFIXES)}."
        raise InputError(msg)
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            msg = f"The weights file {path} cannot be read as safetensors ({error}); fetch it again."
            raise InputError(msg) from error
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        reason = str(error).split(".")[0].strip() or type(error).__name__
        msg = f"The weights file {path} cannot be read as tensors alone ({reason}); fetch it again or convert it."
        raise InputError(msg) from error
    return _unwrapped(content, path)


def _unwrapped(content: object, path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a file that torch wrote."""
    while isinstance(content, Mapping) and (found := [name for name in WRAPPERS if _nested(content, name)]):
        content = content[found[0]]
    if not isinstance(content, Mapping) or not content or not all(map(torch.is_tensor, content.values())):
        msg = f"The weights file {path} holds no table of named tensors: give a state dict of the network."
        raise InputError(msg)
    return {str(name).removeprefix(PREFIX): tensor for name, tensor in content.items()}


def _nested(content: Mapping, name: str) -> bool:
    """Say whether a table of weights lies under this name."""
    return isinstance(content.get(name), Mapping)


def fit(module: nn.Module, state: Mapping[str, torch.Tensor], *, path: Path, name: str) -> nn.Module:
    """Put weights into a network, frozen, in float32 and evaluation mode.

    Parameters
    ----------
    module
        May lie on the meta device if all its buffers are in ``state``.
    state
        Name -> tensor, in the names of the network.
    path, name
        Of the file and the architecture, for the message.

    Raises
    ------
    InputError
        If names or shapes differ: the first of each kind are named.
    """
    wanted = module.state_dict()
    counters = {key: torch.zeros((), dtype=torch.int64) for key in wanted if key.endswith(COUNTER)}
    given = {**counters, **state}  # counts of batches serve training alone, and some files leave them out
    unknown = sorted(set(given) - set(wanted))
    missing = sorted(set(wanted) - set(given))
    shapes = [
        f"{key} {tuple(given[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in sorted(set(given) & set(wanted))
        if given[key].shape != wanted[key].shape
    ]
    if unknown or missing or shapes:
        msg = (
            f"The weights in {path} do not fit {name}: unexpected {_first(unknown)}, missing {_first(missing)}, "
            f"of another shape {_first(shapes)}; give a file made for this architecture."
        )
        raise InputError(msg)
    module.load_state_dict(given, assign=True)
    return module.float().eval().requires_grad_(False)


def _first(names: list[str]) -> str:
    """Return the first few names and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more if names else "none"


def from_hub(expert: Expert) -> Path:
    """Return the weights file of an expert from the hub at its revision, downloaded unless it is cached.

    Raises
    ------
    InputError
        If the hub cannot be reached, or does not give the file to this account.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, RepositoryNotFoundError

    place = f"{expert.source} at {expert.revision}"
    for file in HUB_FILES:
        try:
            return Path(hf_hub_download(expert.source, file, revision=expert.revision))
        except LocalEntryNotFoundError as error:
            raise _unreachable(expert, place) from error
        except EntryNotFoundError:
            continue
        except RepositoryNotFoundError as error:  # a gated one included
            msg = (
                f"The hub does not give {expert.source} to this account: ask for access on its page and set HF_TOKEN, "
                "or name a weights file that you have."
            )
            raise InputError(msg) from error
        except Exception as error:
            raise _unreachable(expert, place) from error
    msg = f"{place} has none of {', '.join(HUB_FILES)}: name a weights file that you have."
    raise InputError(msg)


def _unreachable(expert: Expert, place: str) -> InputError:
    """Say that the hub did not answer."""
    return InputError(
        f"The hub could not be reached for {place}: connect, or name a weights file of {expert.name} that you have."
    )
