"""Runs as `python bench/peers` from the root of the repository, or as `python -m peers` in bench/."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # the folder that has `peers`, not the one that is `peers`

    from peers import command

    sys.exit(command.main())
