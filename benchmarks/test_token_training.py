"""Run with `pytest benchmarks/test_token_training.py -s`: training steps of the fusion arms against the bare ViT's."""

import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.nn import functional

from beyond_alignment.experts.torchvision_operators import import_timm
from beyond_alignment.tokens.arm_inputs import FrozenCache, build_network, prepare
from beyond_alignment.tokens.arms import get_arm
from beyond_alignment.tokens.plan import TokenPlan
from beyond_alignment.tokens.tiles import Tiles
from beyond_alignment.tokens.training import _step

PROMISED = 0.9
GENES, TARGETS, STEPS, ROUNDS = 300, 100, 2, 7
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class Network:
    """A vision transformer, by its name here and by timm's, with what it reads."""

    vit: str
    timm_name: str
    arguments: dict[str, int]
    side: int
    batch: int


COMPACT = Network("vit_compact", "vit_tiny_patch16_224", {"embed_dim": 128, "depth": 4, "num_heads": 4}, 112, 32)
SMALL = Network("vit_s_augreg", "vit_small_patch16_224", {}, 224, 8)


def drawn_tiles(network):
    """Draw a batch of tiles with some 2,000 transcripts each."""
    rng = np.random.default_rng(0)
    batch, grid = network.batch, network.side // 16
    return Tiles(
        pixels=rng.integers(0, 256, (batch, network.side, network.side, 3), dtype=np.uint8),
        core=sparse.csr_matrix(rng.poisson(7 / grid**2, (batch * grid**2, GENES)), dtype=np.float32),
        targets=rng.random((batch, TARGETS), dtype=np.float32),
        n_transcripts=np.full(batch, 2000),
        centre_um=np.zeros((batch, 2)),
        group=np.full(batch, "p"),
        core_genes=tuple(f"C{i}" for i in range(GENES)),
        addon_genes=tuple(f"T{i}" for i in range(TARGETS)),
        grid=grid,
        tile_um=128.0,
    )


def bare(of, targets):
    """Return steps of timm's network with a linear head on images that are ready on the device."""
    torch.manual_seed(0)
    network = import_timm().create_model(of.timm_name, num_classes=TARGETS, img_size=of.side, **of.arguments).to(DEVICE)
    images = torch.randn(of.batch, 3, of.side, of.side, device=DEVICE)
    adam = torch.optim.AdamW(network.parameters(), fused=True)

    def step():
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=DEVICE.type == "cuda"):
            loss = functional.mse_loss(network(images).float(), targets)
        adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        adam.step()

    return step


def fused(name, of, tiles, targets):
    """Return steps of an arm, from bytes and sparse counts."""
    plan = TokenPlan(vit=of.vit, vit_weights="random", batch_size=of.batch)
    cache = FrozenCache(tiles, device=DEVICE, plan=plan)
    inputs = prepare(get_arm(name), cache, seed=0)
    network = build_network(inputs, cache, seed=0)
    adam = torch.optim.AdamW(network.parameter_groups(head_rate=1e-4, backbone_rate=1e-5), fused=True)
    rows = torch.arange(of.batch)

    def loss_of(part):
        return functional.mse_loss(network(inputs.batches.of(part)).float(), targets)

    return lambda: _step(network, adam, loss_of, rows, 0, 1.0, DEVICE, DEVICE.type == "cuda")


def taken(step):
    """Seconds of a step, by the clock and of the processor."""
    started = time.perf_counter(), time.process_time()
    for _ in range(STEPS):
        step()
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started[0]) / STEPS, (time.process_time() - started[1]) / STEPS


@pytest.mark.parametrize(
    ("of", "name", "promised"),
    [
        (COMPACT, "early_add_trained", True),
        (COMPACT, "early_gated_trained", True),
        (COMPACT, "late_concat_token_trained", True),
        (COMPACT, "late_add_tile_trained", True),
        (COMPACT, "early_cross_attention_trained", False),  # a layer beside four blocks
        (COMPACT, "early_concat_trained", False),  # twice the tokens
        (SMALL, "early_add_trained", True),
        (SMALL, "early_gated_trained", True),
        (SMALL, "early_cross_attention_trained", True),
        (SMALL, "early_concat_trained", False),
    ],
    ids=lambda value: getattr(value, "vit", str(value)),
)
def test_share_of_the_bare_networks_speed(of, name, promised):
    """Hold the median ratio of interleaved rounds against what is promised.

    On a CPU by processor time, which other work on the machine does not disturb; on a GPU by the clock.
    """
    tiles = drawn_tiles(of)
    targets = torch.from_numpy(tiles.targets).to(DEVICE)
    plain, arm = bare(of, targets), fused(name, of, tiles, targets)
    taken(plain), taken(arm)
    rounds = np.array([[taken(plain), taken(arm)] for _ in range(ROUNDS)])  # (round, what, clock)
    clock, processor = np.median(rounds[:, 0] / rounds[:, 1], axis=0)
    print(
        f"\n{name}: {DEVICE.type}, {torch.get_num_threads()} threads, {of.vit}, {of.batch} tiles of {of.side} px: bare "
        f"{rounds[:, 0, 0].min():.3f}, arm {rounds[:, 1, 0].min():.3f} s a step; median ratio {clock:.2f} "
        f"by the clock, {processor:.2f} by processor time"
    )
    assert (clock if DEVICE.type == "cuda" else processor) >= PROMISED or not promised
