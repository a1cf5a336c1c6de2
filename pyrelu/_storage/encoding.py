"""Estimators' contents as JSON and arrays: a closed set of types, so that reading runs no code of the file's.

A value that JSON has no exact word for is an object with one key, the name of its type: {"array": "coefs_.0"} stands for
the array of that name, {"tuple": [...]} for a tuple.
"""

import math

import numpy as np
from sklearn.utils import check_random_state

CLASSES: dict[str, type] = {}  # those whose instances are written as their attributes; see `add_classes`

GLOBAL_RANDOM_STATE = check_random_state(None)
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def add_classes(*classes):
    """Let instances of these classes be written and read, by the names and attributes that they have."""
    CLASSES.update({cls.__name__: cls for cls in classes})


class Encoder:
    """Turns values into what JSON takes; the arrays among them go to `arrays`, named by where they were found."""

    def __init__(self):
        self.arrays = {}
        self.random_states = []  # one that is found twice is to be one afterwards too

    def encode(self, value, where):
        """Return `value` for JSON; `where` is what an error calls it."""
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
        if CLASSES.get(type(value).__name__) is type(value):
            return {"object": [type(value).__name__, self.encode(dict(vars(value)), where)]}
        raise TypeError(f"{where} holds {value!r}, which cannot be saved to a file; pickle may")

    def _encode_items(self, items, where):
        return [self.encode(item, f"{where}.{i}") for i, item in enumerate(items)]

    def _encode_column(self, records, key, where):
        return self.encode([record[key] for record in records], f"{where}.{key}")

    def _encode_array(self, array, where):
        if not array.dtype.isnative:
            return {"swapped": self._encode_array(array.astype(array.dtype.newbyteorder("=")), where)}
        if array.dtype.kind == "O":
            return {"objects": [list(array.shape), self._encode_items(array.ravel().tolist(), where)]}
        if array.dtype.kind == "U":
            return {"strings": [array.dtype.itemsize // 4, list(array.shape), array.ravel().tolist()]}
        if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
            raise TypeError(f"{where} is an array of dtype {array.dtype}, which cannot be saved to a file; pickle may")
        return {"array": self._name(array, where)}

    def _name(self, array, where):
        name = next(n for i in range(len(self.arrays) + 1) if (n := f"{where}~{i}" if i else where) not in self.arrays)
        self.arrays[name] = np.ascontiguousarray(array).reshape(array.shape)
        return name

    def _encode_random_state(self, value, where):
        for i, known in enumerate(self.random_states):
            if known is value:
                return {"same": i}
        self.random_states.append(value)
        return {"RandomState": self.encode(value.get_state(legacy=False), where)}


def _are_records(items):
    """Whether all are dicts with the same keys: columns of numbers take far less time than as many objects."""
    return bool(items) and all(type(item) is dict and item and item.keys() == items[0].keys() for item in items)


class Decoder:
    """The reverse. KeyError, TypeError or ValueError where the code is none of Encoder's."""

    def __init__(self, arrays):
        self.arrays = arrays
        self.random_states = []

    def decode(self, code):
        """Return the value."""
        if isinstance(code, list):
            return list(map(self.decode, code))
        if not isinstance(code, dict):
            return code
        [(kind, content)] = code.items()
        return getattr(self, f"_decode_{kind}", self._unknown(kind))(content)

    def _unknown(self, kind):
        def decode(content):
            raise ValueError(f"no type is called {kind!r}")

        return decode

    def _decode_float(self, text):
        return float(text)

    def _decode_array(self, name):
        return self.arrays[name].copy()

    def _decode_swapped(self, code):
        array = self.decode(code)
        return array.astype(array.dtype.newbyteorder())

    def _decode_scalar(self, code):
        return self.decode(code)[()]

    def _decode_floats(self, name):
        return self.arrays[name].tolist()

    def _decode_records(self, columns):
        keys, columns = zip(*((self.decode(key), self.decode(column)) for key, column in columns))
        return [dict(zip(keys, values)) for values in zip(*columns, strict=True)]

    def _decode_strings(self, content):
        width, shape, items = content
        return np.array(items, f"U{int(width)}").reshape(shape)

    def _decode_objects(self, content):
        shape, items = content
        array = np.empty(len(items), object)
        array[:] = list(map(self.decode, items))
        return array.reshape(shape)

    def _decode_tuple(self, items):
        return tuple(map(self.decode, items))

    def _decode_dict(self, items):
        return {self.decode(key): self.decode(value) for key, value in items}

    def _decode_global(self, name):
        return {"numpy.random": np.random, "RandomState": GLOBAL_RANDOM_STATE}[name]

    def _decode_same(self, i):
        return self.random_states[i]

    def _decode_RandomState(self, code):
        state = self.decode(code)
        if state["bit_generator"] not in BIT_GENERATORS:
            raise ValueError(f"no bit generator is called {state['bit_generator']!r}")
        random_state = np.random.RandomState(getattr(np.random, state["bit_generator"])())
        random_state.set_state(state)
        self.random_states.append(random_state)
        return random_state

    def _decode_object(self, content):
        name, code = content
        instance = object.__new__(CLASSES[name])
        vars(instance).update(self.decode(code))
        return instance
