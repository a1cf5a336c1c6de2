"""Attacks on estimators, their files and the training core: python fuzz.py --cases 50000.

A case changes one thing that a fit has left, a parameter, a file or an argument of the core, to something that has no
place there, and calls all that there is. Nothing may end the process or take its memory and time, and every error is one
that a user expects. Cases run in child processes, by number: `--first 123 --cases 1 --here` runs one in this process.
"""

import argparse
import collections
import copy
import functools
import io
import json
import os
import pickle
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings

import numpy as np
import safetensors
import safetensors.numpy
import scipy.sparse
from helpers import HAS_CALLBACKS
from pyrelu._network import LOSSES, Network, Samples
from sklearn import neural_network
from sklearn.base import clone

from pyrelu import MLPClassifier, MLPRegressor, inspection
from pyrelu._mlp.activation import names, resolve
from pyrelu._mlp.optimizers import STOCHASTIC, Gradient
from pyrelu._mlp.training import pack
from pyrelu._storage import files
from pyrelu.callbacks import Checkpoint, EarlyStopping
from pyrelu.exceptions import InvalidFileError
from pyrelu.registry import losses

MEMORY = 1 << 30  # bytes that cases may take beyond what is there at the start
SECONDS = 20  # for a case

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
TARGETS = {
    "two classes": (X[:, 0] > 0).astype(int),
    "three classes": np.arange(40) % 3,
    "words": np.array(["red", "green", "blue"])[np.arange(40) % 3],
    "multilabel": (X[:, :2] > 0).astype(int),
    "one output": X[:, 0],
    "two outputs": np.abs(X[:, :2]),
}
SOLVERS = ("lbfgs", *STOCHASTIC)
SETTINGS = (
    {},
    {"early_stopping": True},
    {"dropout": 0.2, "clip_norm": 1.0},
    {"learning_rate": "cosine", "l1": 0.01},
    {"nesterovs_momentum": False, "batch_size": 7},
    {"learning_rate": ("step", {"step_size": 1, "gamma": 1.5}), "warm_start": True},
    {"learning_rate": "one_cycle", "shuffle": False},
    {"learning_rate": "invscaling", "power_t": 3.0},
)
LARGE = ("max_iter", "max_fun")  # parameters that are for long fits
ERRORS = (ValueError, TypeError)
# What Python, NumPy and scikit-learn say of attributes that someone has overwritten or deleted.
THEIR_ERRORS = (*ERRORS, ArithmeticError, AttributeError, LookupError, NotImplementedError, UnboundLocalError)


# ---- models: each activation, with the solvers, targets and settings in turn ----


@functools.cache
def model(i):
    """Return a fitted estimator, and the X and y that it was fitted to."""
    activations = names()
    activation = activations[i % len(activations)]
    target = list(TARGETS)[i % len(TARGETS)]
    settings = dict(SETTINGS[i % len(SETTINGS)])
    solver = SOLVERS[(i // 2) % len(SOLVERS)]
    if solver == "lbfgs":
        settings.pop("dropout", None)
    if activation == "threshold":
        activation = ("threshold", {"threshold": 0.1, "value": 0.2})
    cls = MLPRegressor if "output" in target else MLPClassifier
    if target == "two outputs":
        settings["loss"] = "poisson"
    elif target != "one output":
        settings["loss"] = ("log_loss", "focal")[i // len(TARGETS) % 2]
    elif i // len(TARGETS) % 2:
        settings["loss"] = ("quantile", {"level": [0.1, 0.9], "monotone": True})
    data = X.astype(np.float32) if i % 3 == 0 else X
    mlp = cls(hidden_layer_sizes=(6, 4), activation=[activation, "relu"], solver=solver, max_iter=2, random_state=i)
    return mlp.set_params(**settings).fit(data, TARGETS[target]), data, TARGETS[target]


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


# ---- all that there is to call ----


def calls(mlp, X, y, rnd):
    """Return functions of everything that reads a fitted estimator."""
    with_callbacks = [
        lambda: mlp.set_callbacks(inspection.ActivityRecorder(X)).set_params(warm_start=True).fit(X, y),
        lambda: mlp.set_callbacks(EarlyStopping(patience=1)).set_params(warm_start=True).fit(X, y),
    ]
    found = [
        lambda: mlp.predict(X),
        lambda: mlp.score(X, y),
        lambda: mlp.predict(scipy.sparse.csr_array(X)),
        lambda: mlp.set_params(warm_start=True).fit(X, y),
        lambda: mlp.save(f"{os.curdir}/saved"),
        lambda: type(mlp).load(f"{os.curdir}/saved") if os.path.exists("saved") else None,
        lambda: pickle.loads(pickle.dumps(mlp)),
        lambda: clone(mlp),
        lambda: inspection.layer_report(mlp, X, y),
        lambda: inspection.dead_units(mlp, X),
        lambda: inspection.unit_activity(mlp, X),
        lambda: inspection.gradient_norms(mlp, X, y),
        lambda: inspection.local_linear_map(mlp, X[0]),
        lambda: mlp.to_sklearn(),
        lambda: type(mlp).from_sklearn(mlp.to_sklearn()).predict(X),
        *(with_callbacks if HAS_CALLBACKS else []),
        lambda: mlp.fit(X, y, eval_set=(X, y)),
        lambda: copy.deepcopy(mlp).predict(X),
        lambda: repr(mlp) + mlp._repr_html_(),
    ]
    if isinstance(mlp, MLPClassifier):
        found += [lambda: mlp.predict_proba(X), lambda: mlp.predict_log_proba(X)]
    if isinstance(mlp.solver, str) and mlp.solver in STOCHASTIC:
        found += [lambda: mlp.partial_fit(X, y), lambda: mlp.partial_fit(scipy.sparse.csr_array(X), y)]
    rnd.shuffle(found)
    return found


class Unexpected(Exception):
    """Something was raised that a user does not expect."""


def attempt(function, allowed=THEIR_ERRORS):
    """Call it, and raise Unexpected where it raises anything that is not allowed."""
    try:
        function()
    except allowed:
        pass
    except Exception as error:
        raise Unexpected(f"{type(error).__name__}: {error}") from error


def use(mlp, X, y, rnd, n=5):
    for function in calls(mlp, X, y, rnd)[:n]:
        attempt(function)


# ---- the attacks ----


def attack_attribute(rnd, folder):
    """Change, or delete, an attribute of a fitted estimator."""
    mlp, X, y = copy.deepcopy(model(rnd.randrange(200)))
    name = rnd.choice([name for name in vars(mlp) if name not in mlp.get_params()])
    if rnd.random() < 0.1:
        delattr(mlp, name)
    else:
        setattr(mlp, name, changed(rnd, getattr(mlp, name)))
    use(mlp, X, y, rnd)


def attack_parameter(rnd, folder):
    """Change a parameter of a fitted estimator."""
    mlp, X, y = copy.deepcopy(model(rnd.randrange(200)))
    parameters = mlp.get_params(deep=False)
    name = rnd.choice(["activation", "solver", *parameters])
    if name == "activation" and rnd.random() < 0.8:
        some = [*names(), "maxout", ("maxout", {"num_pieces": 3}), (np.tanh, np.cos), ("prelu", {"weight": 0.1})]
        value = rnd.choice([rnd.choice(some), [rnd.choice(some), rnd.choice(some)]])
    elif name == "solver" and rnd.random() < 0.8:
        value = rnd.choice(SOLVERS)
    elif name == "hidden_layer_sizes":
        value = rnd.choice([(), (3,), (6, 4, 3), 5, (0,), (-1, 2), None, "6", [6.0, 4], (True, 2)])
    else:
        value = changed(rnd, parameters[name])
    if name in LARGE and isinstance(value, int | float) and value > 3:
        value = 3
    mlp.set_params(**{name: value})
    use(mlp, X, y, rnd)


def attack_rows(rnd, folder):
    """Give X, y and weights that are wrong, among them a CSR matrix whose indices are."""
    mlp, X, y = copy.deepcopy(model(rnd.randrange(200)))
    matrix = scipy.sparse.csr_array(X)
    wrong = getattr(matrix, rnd.choice(["indices", "indptr"]))
    wrong[rnd.randrange(len(wrong))] = rnd.choice([-1, 4, 5, 161, 2**31 - 1, -(2**31)])
    X, y, weights = (matrix, y, None) if rnd.random() < 0.5 else (changed(rnd, X), changed(rnd, y), hostile(rnd))
    attempt(lambda: mlp.predict(X))
    if isinstance(mlp.solver, str) and mlp.solver in STOCHASTIC:
        attempt(lambda: mlp.partial_fit(X, y, weights))
    attempt(lambda: mlp.fit(X, y, weights, eval_set=rnd.choice([None, (X, y)])))


def attack_core(rnd, folder):
    """Give the core arguments that do not fit."""
    dtype = rnd.choice([np.float32, np.float64])
    hidden = resolve([rnd.choice(["tanh", "prelu", "rrelu", "glu", "maxout", "softmax", "elu"]), "relu"], 2)
    widths = [hidden[0].width(4), 4, 3]
    weights = [np.ones(shape, dtype) for shape in zip((4, 4, 4), widths)]
    slopes = [np.ones(4, dtype) if one.initial_slope is not None else None for one in hidden]
    parameters, (weights, biases, slopes) = pack((weights, [np.ones(n, dtype) for n in widths], slopes), dtype)
    arguments = [weights, biases, hidden, None, rnd.choice(list(LOSSES)), slopes, parameters, [0.0, 0.1, 0], 0.1, 2]
    rows = [
        X.astype(dtype),
        np.ones((40, 1 if losses[arguments[4]].targets == "classes" else 3), dtype),
        np.ones(40, dtype),
    ]
    if rnd.random() < 0.3:
        rows[0] = scipy.sparse.csr_array(rows[0])
    mlp = MLPRegressor(clip_norm=rnd.choice([None, 1e-3]))
    optimizer = rnd.choice([Gradient, *STOCHASTIC.values()])(parameters, mlp)
    order, batch_size = np.arange(40, dtype=np.intp), 7
    for _ in range(rnd.randrange(1, 3)):
        place = rnd.randrange(4)
        if place == 0:
            i = rnd.randrange(len(arguments))
            arguments[i] = changed(rnd, arguments[i])
        elif place == 1:
            rows = (
                changed(rnd, rows)
                if rnd.random() < 0.2 or not isinstance(rows, list | tuple)
                else [*rows[:1], *map(functools.partial(changed, rnd), rows[1:])]
            )
        elif place == 2:
            optimizer = changed(rnd, optimizer)
        else:
            here = np.arange(40, dtype=np.intp)
            order = rnd.choice([here - 1, here + 1, changed(rnd, here), here[:0], here * 2**40, here.astype("i4")])
            batch_size = rnd.choice([batch_size, 0, -1, 2**62, 2**70, None])

    def run():
        network, samples = Network(*arguments), Samples(*rows)
        attempt(lambda: network.predict(samples), ERRORS)
        attempt(lambda: network.predict(samples, order), ERRORS)
        attempt(lambda: network.find_alive(samples, order), ERRORS)
        network.train(samples, order, batch_size, optimizer)

    # A batch size may be too large for Cython, and a matrix may have lost an attribute of SciPy's.
    attempt(run, (*ERRORS, OverflowError, AttributeError))


def attack_attributes(rnd, folder):
    """Change several attributes of an estimator, and of the optimizer in it."""
    mlp, X, y = copy.deepcopy(model(rnd.randrange(200)))
    found = [name for name in vars(mlp) if name not in mlp.get_params()]
    for name in rnd.sample(found, rnd.randrange(2, 5)):
        setattr(mlp, name, changed(rnd, getattr(mlp, name)))
    use(mlp, X, y, rnd)


def attack_sklearn(rnd, folder):
    """Convert an estimator of scikit-learn's that was changed."""
    i = rnd.randrange(12)
    mlp, X, y = copy.deepcopy(their_model(i))
    name = rnd.choice([name for name in vars(mlp) if name not in mlp.get_params()])
    setattr(mlp, name, changed(rnd, getattr(mlp, name)))
    converted = []
    attempt(lambda: converted.append(model(i)[0].from_sklearn(mlp)))
    attempt(lambda: converted.append(pyrelu_class(mlp).from_sklearn(mlp)))
    for one in converted:
        use(one, X, y, rnd)


def pyrelu_class(theirs):
    return MLPClassifier if isinstance(theirs, neural_network.MLPClassifier) else MLPRegressor


@functools.cache
def their_model(i):
    """Return scikit-learn's estimator, fitted, and the X and y that it was fitted to."""
    target = list(TARGETS)[i % len(TARGETS)]
    cls = neural_network.MLPRegressor if "output" in target else neural_network.MLPClassifier
    solver = ("adam", "sgd", "lbfgs")[i % 3]
    mlp = cls(hidden_layer_sizes=(6, 4), solver=solver, max_iter=2, random_state=i)
    return mlp.fit(X, TARGETS[target]), X, TARGETS[target]


# ---- files ----


def opened(path):
    """Return the document and the arrays in a file."""
    with safetensors.safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["pyrelu"]), {name: file.get_tensor(name) for name in file.keys()}


def closed(path, document, arrays):
    """Write them with the checksum that they have, as a forger would."""
    text = document if isinstance(document, str) else json.dumps(document)
    arrays = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in arrays.items()}
    content = safetensors.numpy.save(arrays, {"pyrelu": text, "sha256": files._digest(text, arrays)})
    with open(path, "wb") as file:
        file.write(content)


CODES = (  # what a file may say of a value, and something to go wrong in each
    {"strings": [536870911, [3], ["a", "b", "c"]]},
    {"strings": [-1, [1], ["a"]]},
    {"strings": [3, [2**62, 2**62], ["a"]]},
    {"characters": [2, "coefs_.0"]},
    {"objects": [[2**40], []]},
    {"same": -1},
    {"records": [["a", []], ["b", [1]]]},
    {"records": [[["list"], [1]]]},
    {"records": [["a", {"float": "nan"}]]},
    {"dict": [[["list"], 1]]},
    {"dict": [[{"dict": []}, 1]]},
    {"float": "1e999"},
    {"float": "x"},
    {"global": "numpy.random"},
    {"scalar": {"array": "coefs_.0"}},
    {"swapped": {"array": "coefs_.0"}},
    {"swapped": {"tuple": [1]}},
    {"object": ["Adam", {"dict": []}]},
    {"object": ["Cosine", {"dict": [["initial", 0.1], ["n_epochs", 0], ["power_t", 0.5], ["eta_min", 0.0]]}]},
    {"object": ["LabelBinarizer", {"dict": [["classes_", 3]]}]},
    {"tuple": "ab"},
    {"floats": "coefs_.0"},
    {"array": 3},
    {"array": ["a"]},
    [[], [[]]],
    10**400,
    -1,
    1e308,
    "__class__",
    True,
    None,
)


def places(code, path=()):
    """Yield the path of each value in a document."""
    yield path
    for key, value in code.items() if isinstance(code, dict) else enumerate(code) if isinstance(code, list) else ():
        yield from places(value, (*path, key))


def nested(code, levels):
    for _ in range(levels):
        code = {"tuple": [code]}
    return code


def changed_code(rnd, code, arrays):
    """Return what stands in a document in place of `code`."""
    action = rnd.randrange(8)
    if action == 0:
        return nested(code, rnd.choice([1, 5, 90, 300, 3000]))
    if action == 1 and isinstance(code, dict) and code:
        code = dict(code)
        value = code.pop(rnd.choice(list(code)))
        return rnd.choice([code, {**code, "x": value}, {**code, "tuple": value}])
    if action == 2 and isinstance(code, list) and code:
        i = rnd.randrange(len(code))
        return rnd.choice([code[:i], code[:i] + code[i + 1 :], code * 2, code[::-1], [*code, code[i]] * 3])
    if action == 3 and isinstance(code, int | float):
        return rnd.choice([code + 1, code - 1, -code, 0, 2**31, 2**63, 2**64, 10**300, 0.5, 1e300, not code])
    if action == 4 and isinstance(code, str):
        return rnd.choice([*arrays, "", code + "x", code[:-1], "relu", "prelu", "softmax", "exp", "identity", "sgd"])
    if action == 5:
        return {"array": rnd.choice([*arrays, "nothing"])}
    return copy.deepcopy(rnd.choice(CODES))  # as it may be changed in turn


def forge(rnd, path):
    """Change one thing in a file."""
    document, arrays = opened(path)
    kind = rnd.random()
    if kind < 0.1:  # bytes as they lie, headers among them
        with open(path, "rb") as file:
            content = bytearray(file.read())
        for _ in range(rnd.randrange(1, 4)):
            content[rnd.choice([rnd.randrange(8), rnd.randrange(len(content))])] = rnd.randrange(256)
        del content[rnd.choice([len(content), rnd.randrange(len(content))]) :]
        with open(path, "wb") as file:
            file.write(content)
        return
    for _ in range(rnd.randrange(1, 3)):
        if rnd.random() < 0.25 and arrays:
            name = rnd.choice(list(arrays))
            array = changed(rnd, arrays[name])
            if (
                isinstance(array, np.ndarray)
                and array.itemsize <= 8
                and array.dtype.kind in "biuf"
                and array.dtype.isnative
            ):
                arrays[name] = array
        else:
            try:
                found = [place for place in places(document["content"]) if place]
            except RecursionError:
                break
            *above, last = rnd.choice([rnd.choice(found), (rnd.choice(list(document["content"])),)])
            owner = functools.reduce(lambda code, key: code[key], above, document["content"])
            if rnd.random() < 0.1 and isinstance(owner, dict):
                del owner[last]
            elif rnd.random() < 0.05:
                document["content"][rnd.choice(["_fit", "_network", "predict", "__class__", "x_"])] = owner[last]
            else:
                owner[last] = changed_code(rnd, owner[last], arrays)
    try:
        text = json.dumps(document)
    except RecursionError:
        text = "[" * 100_000
    closed(path, text, arrays)


def attack_model_file(rnd, folder):
    """Load an estimator from a file that was forged."""
    mlp, X, y = model(rnd.randrange(200))
    path = f"{folder}/model"
    mlp.save(path)
    forge(rnd, path)
    loaded = []
    attempt(lambda: loaded.append(type(mlp).load(path)), InvalidFileError)
    if loaded:
        [mlp] = loaded
        mlp.set_params(**{name: 2 for name in LARGE})
        if not isinstance(mlp.hidden_layer_sizes, int):
            use(mlp, X, y, rnd)


@functools.cache
def checkpoint_of(i):
    """Return the bytes of a Checkpoint."""
    mlp, X, y = model(i)
    with tempfile.TemporaryDirectory() as folder:
        clone(mlp).set_callbacks(Checkpoint(f"{folder}/checkpoint", every=1), *rules(i)).fit(X, y)
        with open(f"{folder}/checkpoint", "rb") as file:
            return file.read()


def rules(i):
    """Return callbacks that stop such a fit early, or none."""
    return [EarlyStopping("gradient_norm", patience=1 + i % 2)] if i % 3 == 0 else []


def attack_checkpoint(rnd, folder):
    """Go on from a Checkpoint that was forged."""
    i = next(i for i in iter(lambda: rnd.randrange(200), None) if model(i)[0].solver != "lbfgs")
    mlp, X, y = model(i)
    path = f"{folder}/checkpoint"
    with open(path, "wb") as file:
        file.write(checkpoint_of(i))
    forge(rnd, path)
    mlp = clone(mlp).set_callbacks(Checkpoint(path, every=1, resume=True), *rules(i))
    attempt(lambda: mlp.fit(X, y), ERRORS)
    if hasattr(mlp, "coefs_"):
        use(mlp.set_callbacks(), X, y, rnd)


ATTACKS = (
    attack_attribute,
    attack_parameter,
    attack_rows,
    attack_core,
    attack_model_file,
    *([attack_checkpoint] if HAS_CALLBACKS else []),
    attack_attributes,
    attack_sklearn,
)


# ---- the process that runs them, and the one that watches it ----


def run(case, folder):
    """Run one case; return the name of the attack."""
    rnd = random.Random(case)
    attack = ATTACKS[case % len(ATTACKS)]
    attack(rnd, folder)
    return attack.__name__


def work(first, n):
    """Run cases one after the other; say on stdout which begins, and what was unexpected."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    report, sys.stdout = sys.stdout, io.StringIO()
    for i in range(200):
        model(i)
    pages = int(open("/proc/self/statm").read().split()[0]) if os.path.exists("/proc/self/statm") else 0
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + MEMORY,) * 2)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for case in range(first, first + n):
            print(f"case {case}", file=report, flush=True)
            signal.alarm(SECONDS)
            try:
                run(case, folder)
            except BaseException as error:
                where = traceback.extract_tb((error.__cause__ or error).__traceback__)[-1]
                place = f"{os.path.basename(where.filename)}:{where.lineno}"
                print(f"unexpected in {place}: {str(error)[:300]!r}", file=report, flush=True)
        signal.alarm(0)
        os.chdir("/")


def watch(first, n):
    """Run cases in child processes; return {case: signal} of those that ended one, and {case: error}."""
    signals, errors, last = {}, {}, first + n
    while first < last:
        child = subprocess.run(
            [sys.executable, __file__, "--here", "--first", str(first), "--cases", str(last - first)],
            capture_output=True,
            text=True,
        )
        case = None
        for line in child.stdout.splitlines():
            if found := re.fullmatch(r"case (\d+)", line):
                case = int(found[1])
            elif line.startswith("unexpected"):
                errors[case] = line
        if child.returncode == 0:
            break
        if child.returncode > 0 or case is None:
            raise RuntimeError(f"{child.returncode} in case {case}: {child.stderr[-2000:]}")
        signals[case] = signal.Signals(-child.returncode).name
        first = case + 1
    return signals, errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--here", action="store_true", help="in this process")
    arguments = parser.parse_args()
    if arguments.here:
        work(arguments.first, arguments.cases)
        return
    signals, errors = watch(arguments.first, arguments.cases)
    for case, name in signals.items():
        print(f"{name} in case {case} ({ATTACKS[case % len(ATTACKS)].__name__})")
    for line, n in collections.Counter(re.sub(r"\d{3,}", "N", line) for line in errors.values()).most_common(60):
        case = next(case for case, other in errors.items() if re.sub(r"\d{3,}", "N", other) == line)
        print(f"{n} times, first in case {case} ({ATTACKS[case % len(ATTACKS)].__name__}): {line}")
    print(f"{arguments.cases} cases: {len(signals)} signals, {len(errors)} unexpected errors")
    sys.exit(bool(signals or errors))


if __name__ == "__main__":
    main()
