"""Runs as `python bench/tabular` from the root of the repository, or as `python -m tabular` in bench/."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # CPU seconds are compared, which threads that wait would spend
    sys.path[0] = str(
        Path(__file__).resolve().parents[1]
    )  # the folder that has `tabular`, not the one that is `tabular`

    from tabular import command

    sys.exit(command.main())
