"""Hostile values, and slightly changed ones."""

import copy

import numpy as np
import scipy.sparse

# ---- what has no place anywhere ----


def hostile(rnd):
    """Return something of a type, form or size that is not expected."""
    return rnd.choice(
        (
            lambda: None,
            lambda: rnd.choice([0, -1, 1, 2, 3, 7, 255, 2**31, 2**63, 2**64, 2**70, -(2**63), 10**400, True]),
            lambda: rnd.choice([0.0, -0.5, 1.5, 1e308, np.nan, np.inf, -np.inf, 1j]),
            lambda: rnd.choice(["", "relu", "softmax", "sgd", "\0", "a" * 1000, b"relu"]),
            lambda: rnd.choice(
                [[], (), {}, [None], [[]], [0.5], [[1.0, 2.0], [3.0]], {"a": 1}, {0: []}, object(), len]
            ),
            lambda: np.zeros(
                rnd.choice([(), (0,), (1,), (4,), (6,), (0, 0), (0, 6), (4, 0), (4, 6), (6, 4), (2, 3, 4)])
            ),
            lambda: np.ones((4, 6), rnd.choice(["f4", "f2", ">f8", "i8", "?", "O", "U3", "c16", "g", "M8[s]"])),
            lambda: rnd.choice([np.full((4, 6), np.nan), np.ma.masked_all((4, 6)), np.asmatrix(np.zeros((4, 6)))]),
            lambda: rnd.choice(
                [scipy.sparse.csr_array(np.eye(4, 6)), np.float32(3), np.int64(-5), np.array([None, 3])]
            ),
        )
    )()


def changed_array(rnd, array):
    """Return an array that is nearly the one given."""
    flat = array.copy()
    if flat.size:
        flat.flat[rnd.randrange(flat.size)] = (
            flat.dtype.type(0) if flat.dtype.kind != "f" else rnd.choice([np.nan, 1e300, -1])
        )
    read_only = array.copy()
    read_only.flags.writeable = False
    shifted = np.frombuffer(b"\0" + array.tobytes() if array.dtype.kind != "O" else b"\0" * 9, "u1")[1:]
    return rnd.choice(
        (
            lambda: array.T,
            lambda: array[:-1],
            lambda: array[..., :-1] if array.ndim else array,
            lambda: np.concatenate([array, array]) if array.ndim else array,
            lambda: array[np.newaxis],
            lambda: array.ravel(),
            lambda: np.asfortranarray(array),
            lambda: array[::-1] if array.ndim else array,
            lambda: array.astype(rnd.choice(["f4", "f8", "f2", "O", "U5"])),
            lambda: array.astype(array.dtype.newbyteorder()),
            lambda: shifted.view(array.dtype).reshape(array.shape) if array.dtype.kind == "f" else array,
            lambda: flat,
            lambda: read_only,
            lambda: array.tolist(),
            lambda: array[:0],
        )
    )()


def changed(rnd, value):
    """Return what is nearly the value, or anything."""
    try:
        return _changed(rnd, value, 0)
    except (ArithmeticError, LookupError, TypeError, ValueError):  # there is no such value
        return hostile(rnd)


def _changed(rnd, value, depth):
    if rnd.random() < 0.3:
        return hostile(rnd)
    if isinstance(value, np.ndarray):
        return changed_array(rnd, value)
    if isinstance(value, list | tuple) and value and rnd.random() < 0.9:
        i = rnd.randrange(len(value))
        items = list(value)
        action = rnd.randrange(6)
        if action == 0:
            del items[i]
        elif action == 1:
            items.insert(i, items[i])
        elif action == 2:
            items.reverse()
        else:
            items[i] = _changed(rnd, items[i], depth + 1)
        return rnd.choice([type(value), type(value), type(value), tuple, list])(items)
    if isinstance(value, dict) and value:
        key = rnd.choice(list(value))
        return {**value, key: _changed(rnd, value[key], depth + 1)} if rnd.random() < 0.8 else {}
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rnd.choice([value + 1, value - 1, -value, 0, 2**40, value * 1.0, str(value)])
    if isinstance(value, float):
        return rnd.choice([-value, 0.0, np.nan, np.inf, value * 1e300, int(value) if abs(value) < 1e9 else 0])
    if hasattr(value, "__dict__") and vars(value) and depth < 3 and not callable(value):
        twin = copy.copy(value)
        name = rnd.choice(list(vars(twin)))
        if rnd.random() < 0.2:
            object.__delattr__(twin, name)
        else:
            object.__setattr__(twin, name, _changed(rnd, getattr(twin, name), depth + 1))
        return twin
    return hostile(rnd)
