"""``python -m beyond_alignment.cli``."""

from beyond_alignment.cli import main

main()
