"""Each test process computes on one thread: several run side by side."""

import os

for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):  # numba hands its number on to torch
    os.environ.setdefault(name, "1")
