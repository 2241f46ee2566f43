"""Saves and loads a fitted fusion method: one safetensors file whose header says in JSON what the arrays are.

Nothing is unpickled: a file can name classes of this package's fusion methods, and those that the caller allows, and
fill them with numbers and text.
"""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA

from beyond_alignment.errors import InputError
from beyond_alignment.files import atomic_path
from beyond_alignment.fusion import registry
from beyond_alignment.fusion.base import Fusion
from beyond_alignment.fusion.network import FusionNetwork, Shape
from beyond_alignment.fusion.neural import NeuralFusion
from beyond_alignment.fusion.width import build

KEY = "beyond_alignment_fusion"
FORMAT = 1
PACKAGE = registry.__name__.rpartition(".")[0]
Arrays = dict[str, NDArray]


def save_fusion(model: Fusion, path: Path) -> None:
    """Write a fitted method to a file, in one step; the same model gives the same bytes.

    Parameters
    ----------
    model
        Fitted.
    path
        File, such as ``low_rank.safetensors``.

    Raises
    ------
    InputError
        If the method is not fitted, or holds what a file cannot.
    """
    if not (hasattr(model, "head_") or hasattr(model, "heads_")):
        msg = f"{type(model).__name__} is not fitted: call fit first."
        raise InputError(msg)
    arrays: Arrays = {}
    tree = json.dumps(_encode(model, arrays), sort_keys=True)
    header = {"format": FORMAT, "model": tree, "sha256": _digest(tree, arrays)}
    with atomic_path(Path(path)) as temporary:
        save_file(arrays, temporary, metadata={KEY: json.dumps(header)})


def load_fusion(path: Path, *, classes: Iterable[type] = ()) -> Fusion:
    """Read a fitted method, which predicts what it predicted before.

    Parameters
    ----------
    path
        A file of :func:`save_fusion`.
    classes
        Networks and estimators from outside of this package that the file may name.

    Raises
    ------
    InputError
        If the file is missing, damaged, not of this package or names a class that is not allowed.
    """
    try:
        with safe_open(path, framework="numpy") as stored:
            text = (stored.metadata() or {}).get(KEY)
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 not a mapping
    except FileNotFoundError as error:
        msg = f"There is no file {path}: save a fitted method there first."
        raise InputError(msg) from error
    except (SafetensorError, OSError, ValueError) as error:
        msg = f"{path} is not a whole safetensors file ({error}): save the method again."
        raise InputError(msg) from error
    if text is None:
        msg = f"{path} holds no fusion method: pass a file that save_fusion wrote."
        raise InputError(msg)
    try:
        header = json.loads(text)
        if header["format"] != FORMAT:
            msg = f"{path} has format {header['format']} and this version reads {FORMAT}: save the method again."
            raise InputError(msg)
        if header["sha256"] != _digest(header["model"], arrays):
            msg = f"{path} is damaged, its checksum is wrong: save the method again."
            raise InputError(msg)
        allowed = {_name(cls): cls for cls in (PCA, *classes)}
        model = _decode(json.loads(header["model"]), arrays, allowed)
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        msg = f"{path} cannot be read as a fusion method ({error}): save the method again."
        raise InputError(msg) from error
    if not isinstance(model, Fusion):
        msg = f"{path} holds a {type(model).__name__} and not a fusion method: pass a file that save_fusion wrote."
        raise InputError(msg)
    return model


def _digest(tree: str, arrays: Mapping[str, NDArray]) -> str:
    """Return a hash of everything in a file."""
    digest = hashlib.sha256(tree.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def _name(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _encode(value: Any, arrays: Arrays) -> Any:
    """Turn a value into JSON, its arrays put aside under a number."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "OUS":
        return {"strings": [str(text) for text in value.ravel()], "dtype": value.dtype.str, "shape": value.shape}
    if isinstance(value, np.ndarray | torch.Tensor):
        array = value.numpy() if isinstance(value, torch.Tensor) else value
        by_column = array.flags.f_contiguous and not array.flags.c_contiguous  # sums in another order otherwise
        array = array.T if by_column else array
        name = f"{len(arrays):05d}"
        arrays[name] = np.ascontiguousarray(array)
        return {"array": name, "shape": list(array.shape), "by_column": by_column}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_encode(one, arrays) for one in value]}
    if isinstance(value, Mapping):
        return {"dict": {str(key): _encode(one, arrays) for key, one in sorted(value.items())}}
    if isinstance(value, type):
        return {"class": _name(value)}
    if isinstance(value, FusionNetwork):
        state = {name: _encode(tensor.cpu(), arrays) for name, tensor in sorted(value.state_dict().items())}
        return {"state": state, "network_shape": dataclasses.asdict(value.shape)}
    if isinstance(value, BaseEstimator) or dataclasses.is_dataclass(value):
        attributes = {name: _encode(one, arrays) for name, one in sorted(vars(value).items())}
        return {"object": _name(type(value)), "attributes": attributes}
    msg = f"A {type(value).__name__} cannot be written to a file: the method has to hold numbers and text alone."
    raise InputError(msg)


def _decode(value: Any, arrays: Arrays, allowed: Mapping[str, type]) -> Any:
    """Turn JSON back into what :func:`_encode` was given."""
    if not isinstance(value, dict):
        return value
    if "array" in value:
        array = arrays[value["array"]].reshape(value["shape"])
        return array.T if value["by_column"] else array
    if "strings" in value:
        return np.array(value["strings"], dtype=np.dtype(value["dtype"])).reshape(value["shape"])
    for kind in (list, tuple):
        if kind.__name__ in value:
            return kind(_decode(one, arrays, allowed) for one in value[kind.__name__])
    if "dict" in value:
        return {key: _decode(one, arrays, allowed) for key, one in value["dict"].items()}
    if "class" in value:
        return _class(value["class"], allowed)
    if "state" in value:
        state = {name: torch.from_numpy(_decode(one, arrays, allowed).copy()) for name, one in value["state"].items()}
        return Shape(**value["network_shape"]), state
    made: Any = object.__new__(_class(value["object"], allowed))
    made.__dict__.update({key: _decode(one, arrays, allowed) for key, one in value["attributes"].items()})
    if isinstance(made, NeuralFusion):
        shape, state = vars(made)["network_"]
        made.network_ = build(made.network, shape, width=made.width_, seed=0, options=made.options or {})
        made.network_.load_state_dict(state)
        made.network_.requires_grad_(False).eval()
    return made


def _class(name: str, allowed: Mapping[str, type]) -> type:
    """Return a class that a file may name.

    Raises
    ------
    InputError
        If it may not.
    """
    module, _, qualified = name.partition(":")
    found = allowed.get(name)
    if found is None and (module == PACKAGE or module.startswith(PACKAGE + ".")):
        found = getattr(sys.modules.get(module), qualified, None)
    plain = isinstance(found, type) and (
        issubclass(found, BaseEstimator | FusionNetwork) or dataclasses.is_dataclass(found)
    )
    if found is None or not plain:
        msg = f"The file names {name}, which is no fusion method known here: pass its class in classes."
        raise InputError(msg)
    return found
