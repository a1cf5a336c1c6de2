"""`python -m pyrelu` is the command `pyrelu`."""

import sys

from pyrelu.cli import main

sys.exit(main())
