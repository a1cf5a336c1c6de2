"""A fit on its way, to and from a file."""

import hashlib
import re

import numpy as np

from pyrelu._mlp.course import RECORDS, Moment
from pyrelu._storage import files
from pyrelu.exceptions import InvalidFileError

NO_MATTER = ("verbose", "n_threads")  # parameters that do not change what a fit comes to


def save(course, path, rules):
    """Write the end of the last whole epoch to a file; `rules` are the callbacks by which the fit may stop early."""
    records = {name: getattr(course.mlp, name) for name in RECORDS}
    content = vars(course.whole) | {
        "records": {name: of and of[: course.whole.n_records[name]] for name, of in records.items()},
        "held_out": course.validation and course.validation.rows,
        "ended": course.ended,
    }
    files.write(path, _kind(course), {"settings": _settings(course, rules), "data": _fingerprint(course)} | content)


def load(course, path, rules):
    """Put the course to where it was when the file was written.

    Raises
    ------
    InvalidFileError
        Where it is of other data or another setting, or no checkpoint.
    """
    content = files.read(path, _kind(course))
    _check_same(content.pop("settings"), _settings(course, rules), path)
    if content.pop("data") != _fingerprint(course):
        raise InvalidFileError(path, "is a checkpoint of a fit to other data")
    for name, records in content.pop("records").items():
        setattr(course.mlp, name, records)
    held_out = content.pop("held_out")
    if held_out is not None:
        course.validation.take(held_out)
    course.ended = content.pop("ended")
    course.go_to(Moment(**content))


def _kind(course):
    return f"a checkpoint of {type(course.mlp).__name__}"


def _settings(course, rules):
    """Return the parameters of the estimator and of the rules in words."""
    parameters = course.mlp.get_params(deep=False)
    settings = {name: _describe(value) for name, value in sorted(parameters.items()) if name not in NO_MATTER}
    return settings | ({"EarlyStopping": _describe(list(map(vars, rules)))} if rules else {})


def _describe(value):
    if isinstance(value, np.random.RandomState):
        return "RandomState"  # where it stands is in the file too
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_describe, value))})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_describe(item)}' for key, item in value.items())}}}"
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))  # where it lies in memory is another in another process


def _check_same(written, here, path):
    for name in sorted(written.keys() | here.keys()):
        if written.get(name) != here.get(name):
            raise InvalidFileError(
                path, f"is a checkpoint of a fit with {name}={written.get(name)}; this one has {name}={here.get(name)}"
            )


def _fingerprint(course):
    """Return what tells the data of this fit from others."""
    if "fingerprint" not in course.notes:
        digest = hashlib.sha256()
        own = () if course.validation is None or course.validation.rows is not None else course.validation.data
        for part in (*course.data, *own):
            arrays = [part] if part is None or isinstance(part, np.ndarray) else [part.data, part.indices, part.indptr]
            for array in arrays:
                digest.update(b"None" if array is None else f"{array.dtype} {array.shape} ".encode())
                digest.update(b"" if array is None else np.ascontiguousarray(array).data)
        course.notes["fingerprint"] = digest.hexdigest()
    return course.notes["fingerprint"]
