"""Each test process computes on one thread, several run side by side; every run draws the same examples."""

import os

from hypothesis import settings

for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):  # numba hands its number on to torch
    os.environ.setdefault(name, "1")

settings.register_profile("seeded", derandomize=True, deadline=None)  # --hypothesis-profile default draws anew
settings.load_profile("seeded")
