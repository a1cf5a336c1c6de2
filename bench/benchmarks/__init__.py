"""The asv suite. It takes its inputs and networks from the package `peers` beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
