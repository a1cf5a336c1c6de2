"""The checks of a checkpoint's content against the fit that resumes from it: shapes, types and ranges.

A file is data from strangers: these checks must find every fault before it reaches the fit or C.
"""

import copy
import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from pyrelu._mlp.fit_state import COUNTERS, RECORDS, FitState
from pyrelu._mlp.training import BEST_SCORE
from pyrelu._storage import files
from pyrelu.exceptions import InvalidFileError

# Positions of random generators in their buffers, with upper bounds: NumPy does not check these.
_POSITIONS = {"pos": 624, "buffer_pos": 4}


def check(state: FitState, content: Mapping[str, Any], path: files.Path) -> None:
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


def _is_count(value: object, below: int = 2**63) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and 0 <= int(value) < below


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_like(value: object, array: np.ndarray) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == array.dtype and value.shape == array.shape


def _parameters(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
    return _is_like(value, state.parameters)


def _optimizer_state(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
    arrays = state.optimizer.state
    return type(value) is list and len(value) == len(arrays) and all(map(_is_like, value, arrays))


def _optimizer_counters(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
    return (
        value.keys() == set(state.optimizer.counters)
        and _is_number(value["learning_rate"])
        and math.isfinite(value["learning_rate"])
        and value["learning_rate"] >= 0
        and _is_count(value["t"])
        and value["epoch"] == content["counters"]["n_iter"]
        and _is_count(value["seed"], 2**64)
    )


def _counters(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
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


def _records(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
    n_iter = content["counters"]["n_iter"]
    expected = {name for name in RECORDS if getattr(state, name) is not None}
    return (
        value.keys() == expected
        and all(type(records) is list and len(records) >= n_iter for records in value.values())
        and all(_is_number(item) for name in expected - {"history"} for item in value[name])
        and all(map(_is_record, value["history"]))
    )


def _is_record(record: Any) -> bool:
    return (
        type(record) is dict
        and _is_count(record["epoch"])
        and {"loss", "gradient_norm", "dead_units"} <= record.keys()
        and all(isinstance(key, str) and _is_number(value) for key, value in record.items())
    )


def _order(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
    """Test that the order and the held-out rows together contain each row exactly once."""
    rows, held_out = value, content["held_out"]
    if held_out is not None:
        rows = np.concatenate([value, held_out])
    return _is_like(value, state.order) and np.array_equal(np.sort(rows), np.arange(state.rows.n_rows(state)))


def _held_out(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
    rows = state.validation.rows if state.validation else None
    return value is None if rows is None else _is_like(value, rows)


def _best_parameters(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
    return (
        (BEST_SCORE in value) == (BEST_SCORE in state.best_parameters)
        and all(isinstance(name, str) for name in value)
        and all(_is_like(array, state.parameters) for array in value.values())
    )


def _alive(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
    return value is None or _is_like(value, np.empty(state.network.n_hidden_units, bool))


def _stopped(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
    return isinstance(value, bool)


def _random_state(state: FitState, value: Any, content: Mapping[str, Any]) -> bool:
    if not _are_alike(value, state.random_state.get_state(legacy=False)):
        return False
    copy.deepcopy(state.random_state).set_state(value)  # raises for a number that is too large for NumPy
    return True


def _are_alike(value: Any, here: object) -> bool:
    """Return whether two generator states have the same structure, with numbers in the ranges that NumPy requires."""
    if isinstance(here, dict):
        return bool(value.keys() == here.keys()) and all(
            _are_alike(value[key], part) and (key not in _POSITIONS or value[key] <= _POSITIONS[key])
            for key, part in here.items()
        )
    if isinstance(here, np.ndarray):
        return _is_like(value, here)
    if isinstance(here, str):
        return bool(value == here)
    return _is_number(value) if isinstance(here, float) else _is_count(value, 2**128)


# Field -> test(state, value, content). A test may rely on the tests before it.
PARTS: dict[str, Callable[[FitState, Any, Mapping[str, Any]], bool]] = {
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
