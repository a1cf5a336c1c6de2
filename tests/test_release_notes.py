"""A release page gets the section of its version, and none if tag, version and changelog disagree."""

import importlib.util
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location(
    "release_notes", Path(__file__).parent.parent / "tools" / "release_notes.py"
)
spec.loader.exec_module(release_notes := importlib.util.module_from_spec(spec))

CHANGELOG = """# Changelog

## [Unreleased]

- Later.

## [1.2.0] - 2027-01-31

### Added

- This.

## [1.1.0] - 2027-01-01

- That.

## [1.0.0] - 2026-12-31
"""


def test_the_section_of_the_version():
    assert release_notes.notes("v1.2.0", "1.2.0", CHANGELOG) == "### Added\n\n- This."
    assert release_notes.notes("v1.1.0", "1.1.0", CHANGELOG) == "- That."


@pytest.mark.parametrize(
    ("tag", "version", "message"),
    [
        ("v1.2.1", "1.2.0", "the tag is v1.2.1, but pyrelu.__version__ is 1.2.0"),
        ("1.2.0", "1.2.0", "the tag is 1.2.0"),
        ("v1.3.0", "1.3.0", r"says nothing below a heading ## \[1.3.0\]"),
        ("v1.0.0", "1.0.0", "says nothing"),
    ],
)
def test_what_does_not_agree(tag, version, message):
    with pytest.raises(ValueError, match=message):
        release_notes.notes(tag, version, CHANGELOG)
