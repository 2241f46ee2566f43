"""Run with `pytest benchmarks`: extraction from a pyramid against the bare model, in one run."""

import time

import numpy as np
import pytest
import torch

from beyond_alignment.experts.extraction import embed_slide
from beyond_alignment.experts.morphology import FrozenModel
from beyond_alignment.experts.registry import get_expert
from beyond_alignment.experts.slides import open_slide
from beyond_alignment.experts.torchvision_operators import import_timm
from tests.experts.slide_images import MPP, tissue, write_pyramid

PROMISED = 0.85
N, BATCH, ROUNDS, SIDE = 128, 32, 5, 4096


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    """Write a pyramid of JPEG tiles, as scanners do."""
    path = write_pyramid(
        tmp_path_factory.mktemp("slide") / "slide.tif", tissue(SIDE, SIDE), compression="jpeg", tile=(256, 256)
    )
    with open_slide(path) as opened:
        yield opened


def test_share_of_the_bare_models_speed(slide):
    """Images per second of MobileNetV2 from the slide over those from one batch in memory, rounds interleaved.

    By the clock, and by the processor time of all threads, which other work on the machine does not disturb.
    """
    torch.manual_seed(0)
    module = import_timm().create_model("mobilenetv2_100", num_classes=0).eval().requires_grad_(False)
    model = FrozenModel(module, source="definition", sha256="", expert=get_expert("mobilenetv2"))
    centres = np.random.default_rng(0).uniform(400, SIDE - 400, (N, 2))
    images = torch.randn(BATCH, 3, 224, 224).contiguous(memory_format=torch.channels_last)

    def bare():
        with torch.inference_mode():
            for _ in range(N // BATCH):
                module(images)

    def whole():
        embed_slide(slide, centres, model=model, field_of_view_um=448 * MPP, device="cpu", batch_size=BATCH)

    whole()
    rounds = np.array([[taken(bare), taken(whole)] for _ in range(ROUNDS)])  # (round, what, clock)
    ratio = np.median(rounds[:, 0] / rounds[:, 1], axis=0)
    speed = N / rounds.min(axis=0)
    print(
        f"\n{torch.get_num_threads()} threads, {N} images: bare {speed[0, 0]:.1f}, from the slide {speed[1, 0]:.1f} "
        f"images/s; median ratio {ratio[0]:.2f} by the clock, {ratio[1]:.2f} by processor time"
    )
    assert ratio[0] >= PROMISED


def taken(work):
    """Seconds by the clock and of the processor."""
    start = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start[0], time.process_time() - start[1]
