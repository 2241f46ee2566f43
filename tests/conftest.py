"""Each test process computes on one thread: several run side by side."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
