"""The solvers for accelerators, run here on the processor, against the compiled ones, and the sharing out of work."""

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.information.chunks import over_chunks, over_problems
from beyond_alignment.information.coupling_solver import solve_couplings
from beyond_alignment.information.pairwise import pairwise_information
from beyond_alignment.information.pairwise_solver import solve_pairwise
from beyond_alignment.information.union import union_information

NATS = 1e-7 * np.log(2)


@st.composite
def batches(draw):
    shape = (draw(st.integers(1, 5)), *(draw(st.integers(1, 6)) for _ in range(2)), draw(st.integers(1, 4)))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    p = rng.dirichlet(np.full(np.prod(shape[1:]), draw(st.sampled_from([0.05, 0.5, 3.0]))), size=shape[0])
    p = np.where(p < draw(st.sampled_from([0.0, 1e-3])), 0.0, p)
    return (p / p.sum(axis=1, keepdims=True)).reshape(shape)


@settings(max_examples=60, deadline=None)
@given(batches())
def test_many_at_once_are_one_after_another(p):
    first, second = p.sum(axis=2), p.sum(axis=1)
    first, second = (first, second) if p.shape[1] >= p.shape[2] else (second, first)
    alone, pairs = union_information(first, second), pairwise_information(p)
    with torch.inference_mode():
        found = solve_couplings(torch.tensor(first), torch.tensor(second), tolerance=NATS)
        found_pairs = solve_pairwise(torch.tensor(p), tolerance=NATS)
    assert (found.primal - found.dual).max() < 2e-7
    assert np.abs(found.primal.numpy() / np.log(2) - alone.value).max() < 2e-7
    assert (found_pairs.upper - found_pairs.lower).max() < 1e-6
    assert np.abs(found_pairs.upper.numpy() / np.log(2) - pairs.value).max() < 1e-6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_batch_on_the_accelerator():
    p = np.random.default_rng(0).dirichlet(np.ones(8 * 7 * 3), size=50).reshape(-1, 8, 7, 3)
    for solve, args in ((union_information, (p.sum(axis=2), p.sum(axis=1))), (pairwise_information, (p,))):
        assert np.abs(solve(*args, device="cuda").value - solve(*args).value).max() < 1e-6


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
def test_every_problem_is_solved_once(n):
    done, lock = [], threading.Lock()

    def work(k):
        with lock:
            done.append(k)

    over_problems(work, n)
    assert sorted(done) == list(range(n))
    parts: list[slice] = []
    over_chunks(parts.append, n, (400, 400, 10))
    assert [k for part in parts for k in range(n)[part]] == list(range(n))
    assert n < 2 or len(parts) > 1
