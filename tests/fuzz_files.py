"""Attacks by files: models and checkpoints with changed contents."""

import copy
import functools
import json
import tempfile

import numpy as np
import safetensors
import safetensors.numpy
from fuzz_models import ERRORS, LARGE, attempt, model, use
from fuzz_values import changed
from sklearn.base import clone

from pyrelu._storage import files
from pyrelu.callbacks import Checkpoint, EarlyStopping
from pyrelu.exceptions import InvalidFileError


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
