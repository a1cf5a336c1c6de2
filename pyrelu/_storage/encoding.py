"""The content of estimators as JSON and arrays, from a closed set of types: reading it runs no code from the file.

A value that JSON cannot represent exactly becomes an object with one key, the name of its type: {"array": "coefs_.0"} is
the array of that name, {"tuple": [...]} a tuple.

A file is data from strangers: reading takes memory and time in proportion to its size, and instances get only attributes
that their class has.
"""

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

# Classes whose instances are written as their attributes; see `add_class`.
CLASSES: dict[str, tuple[type, Callable[[dict[str, Any]], None]]] = {}

DEEPEST = 100  # levels of nesting
PADDING = 1 << 16  # characters of padding in a file's arrays of strings; arrays beyond are written as numbers

GLOBAL_RANDOM_STATE = check_random_state(None)
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def add_class(cls: type, check: Callable[[dict[str, Any]], None]) -> None:
    """Register a class whose instances are written and read by their attributes.

    Parameters
    ----------
    cls : type
    check : callable
        Takes the dict of attributes from the file; raises ValueError or TypeError if they are invalid for the class.
    """
    CLASSES[cls.__name__] = cls, check


def take_apart(value: Any) -> Any:
    """Return instances of registered classes of ours as {"object": [name, attributes]}, wherever in containers they are.

    Anything else stays what it is. So pickles, and what other packages save, hold no classes of ours but the estimator's.
    """
    if type(value) is dict:
        return {key: take_apart(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(take_apart, value))
    if not _is_registered(value) or not type(value).__module__.startswith("pyrelu."):
        return value
    return {"object": [type(value).__name__, take_apart(vars(value))]}


def put_together(value: Any) -> Any:
    """Return what was taken apart; raise ValueError or TypeError where its class would not have the attributes."""
    if type(value) in (list, tuple):
        return type(value)(map(put_together, value))
    if type(value) is not dict:
        return value
    if value.keys() == {"object"}:
        name, attributes = value["object"]
        return _instance(name, put_together(attributes))
    return {key: put_together(item) for key, item in value.items()}


def _is_registered(value: Any) -> bool:
    return type(value).__name__ in CLASSES and CLASSES[type(value).__name__][0] is type(value)


def _instance(name: str, attributes: dict[str, Any]) -> Any:
    if name not in CLASSES:
        raise ValueError(f"no class is called {name!r}")
    cls, check = CLASSES[name]
    check(attributes)
    instance: Any = object.__new__(cls)
    vars(instance).update(attributes)
    return instance


class _Coder:
    """The state that encoding and decoding share."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.depth = self.padding = 0
        self.random_states: list[np.random.RandomState] = []  # an object that occurs twice is written once

    def pads(self, width: int, words: list[str]) -> bool:
        """Count the padding of these words; return whether it stays within the limit."""
        padding = width * len(words) - sum(map(len, words))
        if self.padding + padding > PADDING:
            return False
        self.padding += padding
        return True


class Encoder(_Coder):
    """Converts values to JSON; arrays go to `arrays`, named by their place in the content."""

    def encode(self, value: Any, where: str) -> Any:
        """Return `value` as JSON; `where` names it in errors."""
        if self.depth == DEEPEST:
            raise TypeError(f"{where} is nested more than {DEEPEST} levels deep, which cannot be saved to a file")
        self.depth += 1
        code = self._encode(value, where)
        self.depth -= 1
        return code

    def _encode(self, value: Any, where: str) -> Any:
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, np.ndarray):
            return self._encode_array(value, where)
        if isinstance(value, np.generic):
            return {"scalar": self._encode_array(np.asarray(value), where)}
        if type(value) is list:
            if value and all(type(item) is float for item in value):
                return {"floats": self._name(np.array(value), where)}
            if _are_records(value):
                return {"records": [[self.encode(k, where), self._encode_column(value, k, where)] for k in value[0]]}
            return self._encode_items(value, where)
        if type(value) is tuple:
            return {"tuple": self._encode_items(value, where)}
        if type(value) is dict:
            return {"dict": [[self.encode(k, where), self.encode(v, f"{where}.{k}")] for k, v in value.items()]}
        if value is np.random or value is GLOBAL_RANDOM_STATE:
            return {"global": "numpy.random" if value is np.random else "RandomState"}
        if isinstance(value, np.random.RandomState):
            return self._encode_random_state(value, where)
        if _is_registered(value):
            return {"object": [type(value).__name__, self.encode(dict(vars(value)), where)]}
        raise TypeError(f"{where} holds {value!r}, which cannot be saved to a file; pickle may")

    def _encode_items(self, items: Iterable[Any], where: str) -> list[Any]:
        return [self.encode(item, f"{where}.{i}") for i, item in enumerate(items)]

    def _encode_column(self, records: list[dict[str, Any]], key: str, where: str) -> Any:
        return self.encode([record[key] for record in records], f"{where}.{key}")

    def _encode_array(self, array: np.ndarray, where: str) -> Any:
        if not array.dtype.isnative:
            return {"swapped": self._encode_array(array.astype(array.dtype.newbyteorder("=")), where)}
        if array.dtype.kind == "O":
            return {"objects": [list(array.shape), self._encode_items(array.ravel().tolist(), where)]}
        if array.dtype.kind == "U":
            return self._encode_strings(array, where)
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise TypeError(f"{where} is an array of dtype {array.dtype}, which cannot be saved to a file; pickle may")
        return {"array": self._name(array, where)}

    def _encode_strings(self, array: np.ndarray, where: str) -> Any:
        width, words = array.dtype.itemsize // 4, array.ravel().tolist()
        if not self.pads(width, words):
            return {
                "characters": [width, self._name(np.ascontiguousarray(array)[..., np.newaxis].view(np.uint32), where)]
            }
        return {"strings": [width, list(array.shape), words]}

    def _name(self, array: np.ndarray, where: str) -> str:
        name = next(n for i in range(len(self.arrays) + 1) if (n := f"{where}~{i}" if i else where) not in self.arrays)
        self.arrays[name] = np.ascontiguousarray(array).reshape(array.shape)
        return name

    def _encode_random_state(self, value: np.random.RandomState, where: str) -> Any:
        for i, known in enumerate(self.random_states):
            if known is value:
                return {"same": i}
        self.random_states.append(value)
        return {"RandomState": self.encode(value.get_state(legacy=False), where)}


def _are_records(items: Any) -> bool:
    """Return whether all are dicts with the same keys: columns are much faster than many objects."""
    return bool(items) and all(type(item) is dict and item and item.keys() == items[0].keys() for item in items)


class Decoder(_Coder):
    """The reverse of Encoder. Raises some Exception if the code is invalid."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.arrays = dict(arrays)  # not read yet: each occurs once

    def decode(self, code: Any) -> Any:
        """Return the value."""
        if self.depth == DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} levels deep")
        self.depth += 1
        value = self._decode(code)
        self.depth -= 1
        return value

    def _decode(self, code: Any) -> Any:
        if isinstance(code, list):
            return list(map(self.decode, code))
        if not isinstance(code, dict):
            return code
        [(kind, content)] = code.items()
        return getattr(self, f"_decode_{kind}", self._unknown(kind))(content)

    def _unknown(self, kind: object) -> Callable[[Any], Any]:
        def decode(content: Any) -> Any:
            raise ValueError(f"no type is called {kind!r}")

        return decode

    def _as(self, cls: type, code: Any) -> Any:
        value = self.decode(code)
        if not isinstance(value, cls):
            raise TypeError(f"{cls.__name__} expected, got {type(value).__name__}")
        return value

    def _decode_float(self, text: str) -> float:
        return float(text)

    def _decode_array(self, name: str) -> np.ndarray:
        return self.arrays.pop(name).copy()

    def _decode_swapped(self, code: Any) -> Any:
        array = self._as(np.ndarray, code)
        return array.astype(array.dtype.newbyteorder())

    def _decode_scalar(self, code: Any) -> Any:
        array = self._as(np.ndarray, code)
        if array.shape != ():
            raise ValueError(f"a scalar of shape {array.shape}")
        return array[()]

    def _decode_floats(self, name: str) -> Any:
        numbers = self.arrays.pop(name)
        if numbers.dtype != np.float64 or numbers.ndim != 1:
            raise ValueError(f"floats of dtype {numbers.dtype} and shape {numbers.shape}")
        return numbers.tolist()

    def _decode_records(self, columns: Any) -> list[dict[str, Any]]:
        keys, columns = zip(*((self.decode(key), self._as(list, column)) for key, column in columns))
        return [dict(zip(keys, values)) for values in zip(*columns, strict=True)]

    def _decode_strings(self, content: Any) -> np.ndarray:
        width, shape, words = content
        if not all(type(word) is str and len(word) <= width for word in words) or not self.pads(width, words):
            raise ValueError(f"strings of {width} characters")
        return np.array(words, f"U{int(width)}").reshape(shape)

    def _decode_characters(self, content: Any) -> np.ndarray:
        width, name = content
        numbers = self.arrays.pop(name)
        if (
            numbers.dtype != np.uint32
            or numbers.shape[-1:] != (width,)
            or width < 1
            or (numbers > sys.maxunicode).any()
        ):
            raise ValueError(f"characters of dtype {numbers.dtype} and shape {numbers.shape}")
        return numbers.copy().view(f"U{width}")[..., 0]

    def _decode_objects(self, content: Any) -> np.ndarray:
        shape, items = content
        array = np.empty(len(items), object)
        array[:] = self._as(list, items)
        return array.reshape(shape)

    def _decode_tuple(self, items: Any) -> tuple[Any, ...]:
        return tuple(map(self.decode, items))

    def _decode_dict(self, items: Any) -> dict[Any, Any]:
        return {self.decode(key): self.decode(value) for key, value in items}

    def _decode_global(self, name: str) -> Any:
        return {"numpy.random": np.random, "RandomState": GLOBAL_RANDOM_STATE}[name]

    def _decode_same(self, i: int) -> np.random.RandomState:
        if type(i) is not int or i < 0:
            raise ValueError(f"no random state {i!r}")
        return self.random_states[i]

    def _decode_RandomState(self, code: Any) -> np.random.RandomState:
        state = self._as(dict, code)
        if state["bit_generator"] not in BIT_GENERATORS:
            raise ValueError(f"no bit generator is called {state['bit_generator']!r}")
        bit_generator = getattr(np.random, state["bit_generator"])(0)
        _check_positions(state, bit_generator.state)
        # with a seed, as RandomState itself creates one, because the seed sequence is part of its pickle
        random_state = np.random.RandomState(0 if isinstance(bit_generator, np.random.MT19937) else bit_generator)
        random_state.set_state(state)
        self.random_states.append(random_state)
        return random_state

    def _decode_object(self, content: Any) -> Any:
        name, code = content
        return _instance(name, self._as(dict, code))


def _check_positions(state: dict[str, Any], fresh: Mapping[str, Any]) -> None:
    """Raise ValueError unless a bit generator's state has the form of a new one's.

    NumPy does not check the position in a buffer before it reads there.
    """
    for name, known in fresh.items():
        value = state[name]
        if isinstance(known, dict):
            _check_positions(value, known)
        elif isinstance(known, np.ndarray):
            if not isinstance(value, np.ndarray) or (value.dtype, value.shape) != (known.dtype, known.shape):
                raise ValueError(f"{name} of a random state has {known.shape} numbers of dtype {known.dtype}")
        elif type(value) is not type(known):
            raise TypeError(f"{name} of a random state is {value!r}")
    for name, buffer in (("pos", "key"), ("buffer_pos", "buffer")):
        if name in fresh and not 0 <= state[name] <= len(fresh[buffer]):
            raise ValueError(f"{name}={state[name]} of a random state is beyond its {buffer}")
