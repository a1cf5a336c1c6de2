"""Measures anew what docs/performance.md states, and writes it there; then tools/generate.py updates README.md.

python tools/measure.py             all of it: minutes, on a machine that does nothing else
python tools/measure.py fit float64 only the commands that contain one of these words

A page holds the command of each table in a comment, `<!-- measured by: VARIABLE=value python bench/peers ... -->`; what
follows up to `<!-- end -->` is the command's result.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))

from peers.report import Report

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "docs" / "performance.md",)
TABLE = re.compile(r"(<!-- measured by: (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def split(command):
    """Return the environment variables and the arguments of `VARIABLE=value python bench/peers ...`."""
    words = shlex.split(command)
    start = words.index("bench/peers")
    return dict(word.split("=", 1) for word in words[: start - 1]), words[start + 1 :]


@cache
def measured(command):
    """Return the result of a command in Markdown."""
    variables, arguments = split(command)
    print(command, file=sys.stderr)
    process = subprocess.run(
        [sys.executable, ROOT / "bench" / "peers", *arguments, "--json"],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return f"```sh\n{command}\n```\n\n{Report(**json.loads(process.stdout)).markdown()}\n"


def renewed(page, command):
    """Return the page's text with a new table of this command."""

    def replace(table):
        head, of_table, end = table.groups()
        return f"{head}{measured(command)}{end}" if of_table == command else table.group()

    return TABLE.sub(replace, page)


def main():
    """Write the tables, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*")
    words = parser.parse_args().words
    for path in PAGES:
        for _, command, _ in TABLE.findall(path.read_text()):
            if not words or any(word in command for word in words):
                path.write_text(renewed(path.read_text(), command))  # at once: what comes later may be interrupted


if __name__ == "__main__":
    main()
