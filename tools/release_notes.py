"""Prints the section of CHANGELOG.md for a tag, for its release page.

python tools/release_notes.py v1.2.3

Exit code 1 where the tag is not the version in pyrelu/__init__.py, or the changelog has no such section or an empty one.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def notes(tag, version, changelog):
    """Return the text below the heading ``## [1.2.3] - date``.

    Raises
    ------
    ValueError
        Where tag, version and changelog do not agree.
    """
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, but pyrelu.__version__ is {version}")
    sections = re.split(r"^## \[(.*?)\].*\n", changelog, flags=re.MULTILINE)
    text = dict(zip(sections[1::2], sections[2::2], strict=True)).get(version, "").strip()
    if not text:
        raise ValueError(f"CHANGELOG.md says nothing below a heading ## [{version}]")
    return text


def main():
    """Print them."""
    (version,) = re.findall(r'^__version__ = "(.*)"$', (ROOT / "pyrelu" / "__init__.py").read_text(), re.MULTILINE)
    try:
        print(notes(sys.argv[1], version, (ROOT / "CHANGELOG.md").read_text()))
    except ValueError as error:
        sys.exit(f"release_notes: {error}")


if __name__ == "__main__":
    main()
