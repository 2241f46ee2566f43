"""From an image and coordinates to embeddings, in one pass."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import PIL
import torch
from numpy.typing import NDArray

from beyond_alignment.errors import InputError
from beyond_alignment.experts.compute import Device, Precision, resolve_device, resolve_precision
from beyond_alignment.experts.embedding_cache import EmbeddingCache
from beyond_alignment.experts.forward import forward, state_sha256
from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.patch_stream import PatchSource, SlidePatches, StoredPatches, default_workers, stream
from beyond_alignment.experts.record import Expert
from beyond_alignment.experts.slides import Slide

Edge = Literal["pad", "drop"]
Advance = Callable[[int], None]
BATCH_SIZE = 64
# Image pixels along a pixel of the patch below which a patch counts as enlarged.
LEAST_PIXELS = 0.8


@dataclass(frozen=True)
class Extraction:
    """Embeddings of the patches of one image.

    Attributes
    ----------
    values
        float32 (patch, feature); NaN where a patch was dropped.
    kept
        bool (patch,).
    n_padded
        Patches that reach over the edge and were filled with the background's colour.
    n_dropped
        Patches that reach over the edge and were left out.
    n_cached
        Patches that were not embedded again.
    provenance
        What made the values: weights, transform, image, scale, precision.
    """

    values: NDArray[np.float32]
    kept: NDArray[np.bool_]
    n_padded: int = 0
    n_dropped: int = 0
    n_cached: int = 0
    provenance: dict[str, Any] = field(default_factory=dict)


def embed_slide(
    slide: Slide,
    centres_px: NDArray[np.floating],
    *,
    model: FrozenModel,
    field_of_view_um: float | None = None,
    edge: Edge = "pad",
    device: Device = "auto",
    batch_size: int = BATCH_SIZE,
    workers: int | None = None,
    precision: Precision = "auto",
    cache_dir: Path | None = None,
    advance: Advance | None = None,
) -> Extraction:
    """Embed the squares of tissue around given points of a slide.

    Patches are cut lazily, by window, by threads that work ahead of the model by two batches, so that memory does not
    grow with the slide. With a cache, every whole batch is kept at once: a run that is killed goes on there.

    Parameters
    ----------
    slide
        From ``open_slide``; its scale must be known.
    centres_px
        (patch, 2), x and y in full-resolution pixels.
    model
        From ``load_morphology``; its module maps normalised images (batch, channel, height, width) to (batch, feature).
    field_of_view_um
        Width of the square in microns; the expert's own when None.
    edge
        ``pad`` fills what lies off the slide with the colour of its background, ``drop`` leaves such patches out.
    device
        Where to run.
    batch_size
        Patches at a time.
    workers
        Threads that cut; None chooses, 0 cuts in this thread.
    precision
        ``auto`` is float32 on the CPU and bfloat16 (autocast) on a GPU.
    cache_dir
        Folder of the cache; none is kept when None.
    advance
        Called with the number of patches done.

    Raises
    ------
    InputError
        The scale or the field of view is not known, a point is not finite, all points lie off the slide, the file is
        damaged, the model does not give finite (batch, feature), or the GPU's memory is too small.
    """
    expert = _record(model)
    centres = np.asarray(centres_px, dtype=np.float64)
    if centres.ndim != 2 or centres.shape[1] != 2:
        raise InputError(f"Points of shape {centres.shape} cannot be cut: give (patch, 2), x and y in pixels.")
    if bad := int((~np.isfinite(centres)).any(axis=1).sum()):
        raise InputError(f"{bad} of {len(centres)} points of {slide.name} have no finite position: drop them.")
    if edge not in ("pad", "drop"):
        raise InputError(f"Unknown treatment of the edge {edge!r}: choose pad or drop.")
    microns = field_of_view_um or expert.field_of_view_um
    if not (np.isfinite(microns) and microns > 0):
        raise InputError(f"A field of view of {microns:g} um cannot be cut for {expert.name}: give a positive one.")
    scale = slide.scale()
    field_px = microns / scale
    over = _over_the_edge(slide, centres, field_px)
    kept = ~over if edge == "drop" else np.ones(len(centres), dtype=bool)
    source = SlidePatches(slide, centres, field_px)
    _ = slide.background  # found once, before threads ask for it
    values, n_cached, details = _embed(
        source, kept, model, device=device, batch_size=batch_size, workers=workers, precision=precision,
        cache_dir=cache_dir, advance=advance,
    )  # fmt: skip
    n_over = int(over.sum())
    n_padded, n_dropped = (n_over, 0) if edge == "pad" else (0, n_over)
    provenance = details | {
        "image": slide.name,
        "image_sha256": slide.sha256,
        "image_notes": [*slide.notes, *_enlarged(slide.name, field_px / expert.input_px)],
        "field_of_view_um": float(microns),
        "microns_per_pixel": float(microns) / expert.input_px,
        "slide_microns_per_pixel": float(scale),
        "edge": edge,
        "n_padded": n_padded,
        "n_dropped": n_dropped,
    }
    return Extraction(values, kept, n_padded, n_dropped, n_cached, provenance)


def embed_stored(
    patches: StoredPatches,
    *,
    model: FrozenModel,
    device: Device = "auto",
    batch_size: int = BATCH_SIZE,
    workers: int | None = None,
    precision: Precision = "auto",
    cache_dir: Path | None = None,
    advance: Advance | None = None,
) -> Extraction:
    """Embed patches that were cut before; their scale is what it is, and is written down.

    Parameters
    ----------
    patches
        An .h5 file as HEST-1k has it.
    model, device, batch_size, workers, precision, cache_dir, advance
        As in ``embed_slide``.

    Raises
    ------
    InputError
        The file is damaged, or as in ``embed_slide``.
    """
    expert = _record(model)
    kept = np.ones(len(patches.names), dtype=bool)
    values, n_cached, details = _embed(
        patches, kept, model, device=device, batch_size=batch_size, workers=workers, precision=precision,
        cache_dir=cache_dir, advance=advance,
    )  # fmt: skip
    microns = patches.field_of_view_um
    provenance = details | {
        "image": patches.path.name,
        "image_sha256": patches.identity()["patches"],
        "image_notes": ["Patches as they were stored."],
        "field_of_view_um": microns,
        "microns_per_pixel": microns / expert.input_px,
    }
    return Extraction(values, kept, n_cached=n_cached, provenance=provenance)


def _record(model: FrozenModel) -> Expert:
    """Return the record of a model that reads images."""
    expert = model.expert
    if expert is None or expert.modality != "morphology" or expert.input_px < 1:
        raise InputError("This model has no record of an expert that reads images: load it with load_morphology.")
    return expert


def _enlarged(name: str, pixels: float) -> list[str]:
    """Say when patches show less than the expert reads, for want of resolution."""
    if pixels >= LEAST_PIXELS:
        return []
    return [f"{name} is coarser than what the expert reads: patches are enlarged {1 / pixels:.1f} times."]


def _over_the_edge(slide: Slide, centres: NDArray[np.float64], field_px: float) -> NDArray[np.bool_]:
    """Tell which squares reach over the edge; all centres off the slide is a wrong scale, not an edge."""
    size = np.array(slide.size_px, dtype=np.float64)
    if len(centres) and ((centres < 0) | (centres > size)).any(axis=1).all():
        low, high = centres.min(axis=0), centres.max(axis=0)
        raise InputError(
            f"All {len(centres)} points lie off {slide.name} ({size[0]:.0f} x {size[1]:.0f} pixels): they span "
            f"x {low[0]:.0f} to {high[0]:.0f} and y {low[1]:.0f} to {high[1]:.0f}; give the image or the scale of "
            "these points."
        )
    half = field_px / 2.0
    return np.asarray(((centres - half < 0) | (centres + half > size)).any(axis=1), dtype=np.bool_)


def _embed(
    source: PatchSource,
    kept: NDArray[np.bool_],
    model: FrozenModel,
    *,
    device: Device,
    batch_size: int,
    workers: int | None,
    precision: Precision,
    cache_dir: Path | None,
    advance: Advance | None,
) -> tuple[NDArray[np.float32], int, dict[str, Any]]:
    """Embed what is not in the cache; values (patch, feature), number found, provenance of model and transform."""
    expert = _record(model)
    if batch_size < 1:
        raise InputError(f"A batch of {batch_size} patches cannot be embedded: give 1 or more.")
    target = resolve_device(device)
    exact = resolve_precision(precision, target)
    details = {
        "weights": model.source,
        "weights_sha256": model.sha256,
        "state_sha256": state_sha256(model.module),
        "transform": {"input_px": expert.input_px, "mean": list(expert.mean), "sd": list(expert.sd)},
        "precision": exact,
        "device": target.type,
        "torch": torch.__version__.split("+")[0],
        "pillow": PIL.__version__,
    }
    coordinates = source.coordinates()
    cache = None
    if cache_dir is not None:
        cache = EmbeddingCache(Path(cache_dir), {"expert": expert.name, **details, **source.identity()})
    values, known = cache.find(coordinates, expert.dimension) if cache else _nothing(len(kept), expert.dimension)
    n_cached = int((known & kept).sum())
    if advance and n_cached:
        advance(n_cached)
    order = source.order()
    rows = order[(kept & ~known)[order]]
    n_workers = default_workers(target) if workers is None else workers
    batches = stream(
        source, rows, size_px=expert.input_px, batch_size=batch_size, workers=n_workers, pin=target.type == "cuda"
    )
    for part, features in forward(model.module, batches, expert=expert, device=target, precision=exact):
        if features.shape[1] != values.shape[1]:
            raise InputError(
                f"The model gives {features.shape[1]} features and {expert.name} has {values.shape[1]}: "
                "give its own weights."
            )
        if cache:
            cache.add(coordinates[part], features)
        values[part] = features
        if advance:
            advance(len(part))
    if cache and len(rows):
        cache.join()
    values[~kept] = np.nan
    return values, n_cached, details


def _nothing(n: int, dimension: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return what an empty cache finds."""
    return np.zeros((n, dimension), dtype=np.float32), np.zeros(n, dtype=bool)
