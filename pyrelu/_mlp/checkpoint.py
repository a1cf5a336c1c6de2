"""Checkpoints: the state of a running fit, to a file and back."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyrelu._mlp.checkpoint_content import check
from pyrelu._mlp.fit_state import FitState, Snapshot
from pyrelu._mlp.validation import Validation
from pyrelu._storage import files
from pyrelu.exceptions import InvalidFileError

IRRELEVANT = ("verbose", "n_threads", "client")  # parameters that do not change the result of a fit


def save(state: FitState, path: files.Path, rules: Sequence[object]) -> None:
    """Write the end of the last complete epoch to a file.

    Parameters
    ----------
    state : FitState
    path : str or path-like
    rules : list of EarlyStopping
        The callbacks by which the fit may stop early.
    """
    content = dict(vars(state.last_epoch))
    n_records = content.pop("n_records")
    content["records"] = {name: getattr(state, name)[:length] for name, length in n_records.items()}
    content["held_out"] = state.validation and state.validation.rows
    files.write(path, _kind(state), {"settings": _settings(state, rules), "data": _fingerprint(state)} | content)


def load(state: FitState, path: files.Path, rules: Sequence[object]) -> None:
    """Return the fit to its state when the file was written.

    Parameters
    ----------
    state : FitState
        The state of a fit that has begun. It changes only if the whole file is valid for it.
    path : str or path-like
    rules : list of EarlyStopping

    Raises
    ------
    InvalidFileError
        If the file is not a checkpoint, or a checkpoint of a fit to other data or with other settings.
    """
    content = files.read(path, _kind(state))
    _check_same(content.pop("settings", None), _settings(state, rules), path)
    if content.pop("data", None) != _fingerprint(state):
        raise InvalidFileError(path, "is a checkpoint of a fit to other data")
    check(state, content, path)
    records, held_out = content.pop("records"), content.pop("held_out")
    for name, loaded in records.items():
        setattr(state, name, loaded)
    if held_out is not None:
        assert isinstance(state.validation, Validation)  # only it has rows with numbers
        state.validation.take(held_out)
    state.restore(Snapshot(n_records={name: len(loaded) for name, loaded in records.items()}, **content))


def _kind(state: FitState) -> str:
    return f"a checkpoint of {type(state.estimator).__name__}"


def _settings(state: FitState, rules: Sequence[object]) -> dict[str, str]:
    """Return descriptions of the parameters of the estimator and of the rules."""
    parameters = state.estimator.get_params(deep=False)
    settings = {name: _describe(value) for name, value in sorted(parameters.items()) if name not in IRRELEVANT}
    return settings | ({"EarlyStopping": _describe(list(map(vars, rules)))} if rules else {})


def _describe(value: Any) -> str:
    if isinstance(value, np.random.RandomState):
        return "RandomState"  # the file also has its state
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_describe, value))})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_describe(item)}' for key, item in value.items())}}}"
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return re.sub(" at 0x[0-9a-fA-F]+", "", repr(value))  # addresses differ between processes


def _check_same(written: object, here: Mapping[str, str], path: files.Path) -> None:
    if not isinstance(written, dict) or not all(isinstance(word, str) for of in written.items() for word in of):
        raise InvalidFileError(path, "is a checkpoint without the settings of its fit")
    for name in sorted(written.keys() | here.keys(), key=str):
        if written.get(name) != here.get(name):
            raise InvalidFileError(
                path, f"is a checkpoint of a fit with {name}={written.get(name)}; this one has {name}={here.get(name)}"
            )


def _fingerprint(state: FitState) -> str:
    """Return a digest of the data of this fit."""
    if "fingerprint" not in state.callback_data:
        state.callback_data["fingerprint"] = state.rows.fingerprint(state)
    digest: str = state.callback_data["fingerprint"]
    return digest
