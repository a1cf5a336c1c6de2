"""The checks of a checkpoint's content against the fit that resumes from it: shapes, types and ranges.

A file is data from strangers: these checks must find every fault before it reaches the fit or C.
"""

import copy
import math
from numbers import Integral, Real

import numpy as np

from pyrelu._mlp.fit_state import COUNTERS, RECORDS
from pyrelu._mlp.training import BEST_SCORE
from pyrelu.exceptions import InvalidFileError

# Positions of random generators in their buffers, with upper bounds: NumPy does not check these.
_POSITIONS = {"pos": 624, "buffer_pos": 4}


def check(state, content, path):
    """Raise InvalidFileError for the first field that does not fit the state.

    Parameters
    ----------
    state : FitState
    content : dict
        The fields of a Snapshot, with "records" and "held_out" in place of "n_records".
    path : str or path-like
        Named in the error.
    """
    for name in sorted(PARTS.keys() ^ content.keys(), key=str):
        raise InvalidFileError(path, f"{'lacks' if name in PARTS else 'has an unknown part'} {name!r}")
    for name, test in PARTS.items():
        try:
            right = test(state, content[name], content)
        except Exception:  # for example a list instead of a dict: too many cases to test one by one
            right = False
        if not right:
            raise InvalidFileError(path, f"is not a checkpoint of this fit: {name!r} has an impossible value")


def _is_count(value, below=2**63):
    return isinstance(value, Integral) and not isinstance(value, bool) and 0 <= value < below


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_like(value, array):
    return isinstance(value, np.ndarray) and value.dtype == array.dtype and value.shape == array.shape


def _parameters(state, value, content):
    return _is_like(value, state.parameters)


def _optimizer_state(state, value, content):
    arrays = state.optimizer.state
    return type(value) is list and len(value) == len(arrays) and all(map(_is_like, value, arrays))


def _optimizer_counters(state, value, content):
    return (
        value.keys() == set(state.optimizer.counters)
        and _is_number(value["learning_rate"])
        and math.isfinite(value["learning_rate"])
        and value["learning_rate"] >= 0
        and _is_count(value["t"])
        and value["epoch"] == content["counters"]["n_iter"]
        and _is_count(value["seed"], 2**64)
    )


def _counters(state, value, content):
    optional = {"best_loss", "best_validation_score"}  # one of the two may be None
    return (
        value.keys() <= COUNTERS.keys()
        and value.keys() >= COUNTERS.keys() - {"loss"}  # absent before the first epoch
        and _is_count(value["n_iter"], state.estimator.max_iter + 1)
        and _is_count(value["t"])
        and _is_count(value["no_improvement_count"])
        and all(value[name] is None or _is_number(value[name]) for name in optional)
        and (state.best_loss is None or value["best_loss"] is not None)
        and (state.best_validation_score is None or value["best_validation_score"] is not None)
        and (_is_number(value["loss"]) if "loss" in value else value["n_iter"] == 0)
    )


def _records(state, value, content):
    n_iter = content["counters"]["n_iter"]
    expected = {name for name in RECORDS if getattr(state, name) is not None}
    return (
        value.keys() == expected
        and all(type(records) is list and len(records) >= n_iter for records in value.values())
        and all(_is_number(item) for name in expected - {"history"} for item in value[name])
        and all(map(_is_record, value["history"]))
    )


def _is_record(record):
    return (
        type(record) is dict
        and _is_count(record["epoch"])
        and {"loss", "gradient_norm", "dead_units"} <= record.keys()
        and all(isinstance(key, str) and _is_number(value) for key, value in record.items())
    )


def _order(state, value, content):
    """Test that the order and the held-out rows together contain each row exactly once."""
    rows, held_out = value, content["held_out"]
    if held_out is not None:
        rows = np.concatenate([value, held_out])
    return _is_like(value, state.order) and np.array_equal(np.sort(rows), np.arange(state.rows.n_rows(state)))


def _held_out(state, value, content):
    rows = state.validation and state.validation.rows
    return value is None if rows is None else _is_like(value, rows)


def _best_parameters(state, value, content):
    return (
        (BEST_SCORE in value) == (BEST_SCORE in state.best_parameters)
        and all(isinstance(name, str) for name in value)
        and all(_is_like(array, state.parameters) for array in value.values())
    )


def _alive(state, value, content):
    return value is None or _is_like(value, np.empty(state.network.n_hidden_units, bool))


def _stopped(state, value, content):
    return isinstance(value, bool)


def _random_state(state, value, content):
    if not _are_alike(value, state.random_state.get_state(legacy=False)):
        return False
    copy.deepcopy(state.random_state).set_state(value)  # raises for a number that is too large for NumPy
    return True


def _are_alike(value, here):
    """Return whether two generator states have the same structure, with numbers in the ranges that NumPy requires."""
    if isinstance(here, dict):
        return value.keys() == here.keys() and all(
            _are_alike(value[key], part) and (key not in _POSITIONS or value[key] <= _POSITIONS[key])
            for key, part in here.items()
        )
    if isinstance(here, np.ndarray):
        return _is_like(value, here)
    if isinstance(here, str):
        return value == here
    return _is_number(value) if isinstance(here, float) else _is_count(value, 2**128)


# Field -> test(state, value, content). A test may rely on the tests before it.
PARTS = {
    "parameters": _parameters,
    "optimizer_state": _optimizer_state,
    "counters": _counters,
    "optimizer_counters": _optimizer_counters,
    "records": _records,
    "held_out": _held_out,
    "order": _order,
    "best_parameters": _best_parameters,
    "alive": _alive,
    "stopped": _stopped,
    "random_state": _random_state,
}
