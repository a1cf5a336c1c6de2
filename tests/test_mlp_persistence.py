"""Files and pickles of estimators: nothing is lost, no code runs, no file is half-written."""

import copy
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import time

import hypothesis
import hypothesis.extra.numpy
import hypothesis.strategies as st
import joblib
import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import scipy.sparse
import sklearn
from helpers import same_bits
from sklearn.datasets import load_digits, make_multilabel_classification

from pyrelu import MLPClassifier, MLPRegressor
from pyrelu._storage import files
from pyrelu.exceptions import InvalidFileError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_digits(return_X_y=True)
X, y = X[:300] / 16, y[:300]
LABELS = {
    "int": y,
    "float": y * 1.0,
    "bool": y % 2 == 0,
    "str": y.astype(str),
    "object": np.array(["odd", "even"], object)[y % 2],
    "int8": (y % 3).astype(np.int8),
    "big-endian": y.astype(">i4"),
    "multilabel": make_multilabel_classification(300, random_state=0)[1],
    "sparse multilabel": scipy.sparse.csr_array(make_multilabel_classification(300, random_state=0)[1]),
}
MODELS = {
    **{name: lambda labels=labels: MLPClassifier(max_iter=3).fit(X, labels) for name, labels in LABELS.items()},
    "regressor": lambda: MLPRegressor(max_iter=3).fit(X, y),
    "multi-output": lambda: MLPRegressor("poisson", max_iter=3).fit(X, np.c_[y, y]),
    "sgd": lambda: MLPClassifier(solver="sgd", learning_rate="invscaling", max_iter=3).fit(X, y),
    "lbfgs": lambda: MLPClassifier(solver="lbfgs", max_iter=3).fit(X, y),
    "early stopping": lambda: MLPClassifier(early_stopping=True, max_iter=3).fit(X, y),
    "float32": lambda: MLPClassifier(max_iter=3).fit(X.astype(np.float32), y),
    "no hidden layer": lambda: MLPClassifier((), max_iter=3).fit(X, y),
    "activations": lambda: MLPClassifier((9, 8), ("gelu", ("elu", {"alpha": 2})), max_iter=3).fit(X, y),
    "learned slopes": lambda: MLPClassifier((9, 8), ("prelu", ("maxout", {"num_pieces": 3})), max_iter=3).fit(X, y),
    "drawn slopes": lambda: MLPRegressor(
        "squared_error", (9, 8), ("rrelu", "glu"), dropout=(0.1, 0.5, 0.2), max_iter=3
    ).fit(X, y),
    "schedule": lambda: MLPClassifier(
        solver="adamw", learning_rate=("one_cycle", {"pct_start": 0.4}), clip_norm=1.0, l1=0.1, max_iter=3
    ).fit(X, y),
    "step": lambda: MLPClassifier(solver="sgd", learning_rate="step", init="he_normal", max_iter=3).fit(X, y),
    "own validation data": lambda: MLPRegressor(early_stopping=True, scoring="neg_max_error", max_iter=3).fit(
        X, y, eval_set=(X, y)
    ),
    "parameters": lambda: MLPClassifier(
        np.array([5]), class_weight={0: 2, 3: 0.5}, alpha=np.float32(0.1), n_iter_no_change=np.inf, max_iter=np.int64(3)
    ).fit(X, y),
    "feature names": lambda: MLPClassifier(max_iter=3).fit(pd.DataFrame(X).add_prefix("x"), y),
    "random state": lambda: MLPClassifier(max_iter=3, random_state=np.random.RandomState(5)).fit(X, y),
}


@pytest.fixture(params=MODELS)
def fitted(request):
    mlp = MODELS[request.param]()
    return mlp if mlp.random_state is not None else mlp.set_params(random_state=7)


def outputs(mlp, data=X):
    if hasattr(mlp, "feature_names_in_"):
        data = pd.DataFrame(data).add_prefix("x")
    return mlp.predict_proba(data) if hasattr(mlp, "predict_proba") else mlp.predict(data)


def save_and_load(mlp, tmp_path):
    mlp.save(tmp_path / "mlp.safetensors")
    return type(mlp).load(tmp_path / "mlp.safetensors")


def pickle_and_unpickle(mlp, tmp_path):
    return pickle.loads(pickle.dumps(mlp))


def dump_and_load(mlp, tmp_path):
    joblib.dump(mlp, tmp_path / "mlp.joblib", compress=3)
    return joblib.load(tmp_path / "mlp.joblib")


def deepcopy(mlp, tmp_path):
    return copy.deepcopy(mlp)


def targets(mlp):
    """Some that the estimator can go on with."""
    if hasattr(mlp, "_label_binarizer"):
        return mlp.predict(pd.DataFrame(X).add_prefix("x") if hasattr(mlp, "feature_names_in_") else X)
    return y if mlp.n_outputs_ == 1 else np.c_[y, y]


@pytest.mark.parametrize("way", [save_and_load, pickle_and_unpickle, dump_and_load, deepcopy])
def test_nothing_is_lost(fitted, way, tmp_path):
    again = way(fitted, tmp_path)
    assert vars(again).keys() == vars(fitted).keys()
    for name, value in vars(fitted).items():
        check_equal(getattr(again, name), value, name)
    assert (again.random_state is again._random_state) == (fitted.random_state is fitted._random_state)
    assert same_bits(outputs(again), outputs(fitted))
    if hasattr(fitted, "partial_fit") and not fitted.early_stopping:
        data = pd.DataFrame(X).add_prefix("x") if hasattr(fitted, "feature_names_in_") else X
        aim = targets(fitted)
        for _ in range(3):
            fitted.partial_fit(data, aim)
            again.partial_fit(data, aim)
        assert again.loss_curve_ == fitted.loss_curve_
        assert same_bits(outputs(again), outputs(fitted))


def check_equal(again, value, where):
    assert type(again) is type(value), where
    if isinstance(value, np.ndarray):
        assert again.dtype == value.dtype and again.shape == value.shape, where
        if value.dtype == object:
            check_equal(again.tolist(), value.tolist(), where)
        else:
            assert again.tobytes() == value.tobytes(), where  # so that NaN equals NaN
    elif isinstance(value, list | tuple):
        assert len(again) == len(value), where
        for a, v in zip(again, value, strict=True):
            check_equal(a, v, where)
    elif isinstance(value, np.random.RandomState):
        check_equal(again.get_state(), value.get_state(), where)
    elif isinstance(value, dict):
        check_equal(list(again.items()), list(value.items()), where)
    elif hasattr(value, "__dict__"):
        check_equal(vars(again), vars(value), where)
    else:
        assert again == value, where


def test_floats_that_json_lacks(tmp_path):
    mlp = MLPClassifier(max_iter=2, n_iter_no_change=np.inf, random_state=0).fit(X, y)
    mlp.loss_curve_ += [np.inf, -np.inf, -0.0, 5e-324]
    mlp.best_loss_ = np.nan
    again = save_and_load(mlp, tmp_path)
    assert np.array(again.loss_curve_).tobytes() == np.array(mlp.loss_curve_).tobytes()
    assert np.isnan(again.best_loss_) and again.n_iter_no_change == np.inf


def test_not_fitted(tmp_path):
    again = save_and_load(MLPRegressor("poisson", (5, 5), "gelu"), tmp_path)
    assert again.get_params() == MLPRegressor("poisson", (5, 5), "gelu").get_params() and not hasattr(again, "coefs_")


def test_what_was_requested_of_routing(tmp_path):
    with sklearn.config_context(enable_metadata_routing=True):
        mlp = MLPClassifier().set_fit_request(sample_weight=True).set_score_request(sample_weight="weights")
        again = save_and_load(mlp, tmp_path)
        routing = again.get_metadata_routing()
        assert routing.fit.requests == {"sample_weight": True, "eval_set": None}
        assert routing.score.requests == {"sample_weight": "weights"}
        assert routing.partial_fit.requests == mlp.get_metadata_routing().partial_fit.requests
    save_and_load(mlp, tmp_path)  # outside of it too


def test_arrays_are_plain_safetensors(tmp_path):
    mlp = MLPClassifier(max_iter=2).fit(X, y)
    mlp.save(tmp_path / "mlp")
    arrays = safetensors.numpy.load_file(tmp_path / "mlp")
    assert same_bits(arrays["coefs_.0"], mlp.coefs_[0]) and same_bits(arrays["intercepts_.1"], mlp.intercepts_[1])


numbers = hypothesis.extra.numpy.arrays(
    st.sampled_from(["f2", "<f4", "f8", "i1", ">i4", "u8", "?"]),
    hypothesis.extra.numpy.array_shapes(min_dims=0, min_side=0),
)
turned = numbers | numbers.map(np.transpose) | numbers.map(np.asfortranarray)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
scalars = (
    st.floats(width=32, allow_nan=False).map(np.float32) | st.integers(0, 9).map(np.int8) | st.booleans().map(np.bool_)
)
words = st.builds(np.array, st.lists(st.text(alphabet="aé☃", max_size=5)), st.sampled_from(["<U7", ">U7"]))
objects = st.lists(plain).map(lambda items: np.array([*items, None], object)[:-1])
contents = st.recursive(
    plain | scalars | turned | words | objects,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(plain | st.tuples(plain), inner),
    max_leaves=20,
)


@hypothesis.given(contents)
@hypothesis.settings(max_examples=200, deadline=None)
def test_any_content_comes_back(content):
    with tempfile.TemporaryDirectory() as folder:
        files.write(f"{folder}/file", "anything", {"content": content, "again": [content]})
        found = files.read(f"{folder}/file", "anything")
    check_equal(found, {"content": content, "again": [content]}, "content")


# ---- what cannot be saved ----


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"activation": (np.tanh, np.cos)}, "activation.0"),
        ({"init": lambda shape, rng: np.zeros(shape)}, "init"),
        ({"learning_rate": lambda epoch: 0.1}, "learning_rate"),
        ({"scoring": max}, "scoring"),
        ({"class_weight": {1 + 2j: 1}}, "class_weight"),
        ({"alpha": np.longdouble(1)}, "alpha"),
    ],
)
def test_functions_are_refused_before_anything_is_written(parameters, where, tmp_path):
    path = tmp_path / "mlp"
    MLPClassifier(alpha=3).save(path)
    with pytest.raises(TypeError, match=re.escape(where) + r" .*cannot be saved to a file; pickle may"):
        MLPClassifier(**parameters).save(path)
    assert MLPClassifier.load(path).alpha == 3 and os.listdir(tmp_path) == ["mlp"]


# ---- files that are not what they should be ----


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mlp"
    MLPClassifier((5,), max_iter=2, random_state=0).fit(X, y).save(path)
    return path


def edit(path, change):
    """Change the document in the file and bring its digest up to date, as a forger would."""
    with safetensors.safe_open(path, framework="numpy") as opened:
        document = json.loads(opened.metadata()["pyrelu"])
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}
    change(document, arrays)
    text = json.dumps(document)
    metadata = {"pyrelu": text, "sha256": files._digest(text, arrays)}
    path.write_bytes(safetensors.numpy.save(arrays, metadata))


def refused(path, message, cls=MLPClassifier):
    with pytest.raises(InvalidFileError, match=message) as caught:
        cls.load(path)
    assert isinstance(caught.value, ValueError) and str(caught.value).startswith(str(path))


def test_truncated(file):
    content = file.read_bytes()
    for length in [*range(0, len(content), len(content) // 40), len(content) - 1]:
        file.write_bytes(content[:length])
        refused(file, "is truncated, or no safetensors file")


def test_every_bit_counts(file):
    content = bytearray(file.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(len(content), size=200):
        bit = 1 << int(rng.integers(8))
        content[place] ^= bit
        file.write_bytes(content)
        refused(file, ".")
        content[place] ^= bit
    content[-1] ^= 1
    file.write_bytes(content)
    refused(file, "is damaged: its content does not have the SHA-256 that it says")


def test_foreign(file):
    file.write_bytes(b"not a model, but a text that goes on for a while")
    refused(file, "is truncated, or no safetensors file")
    file.write_bytes(pickle.dumps(MLPClassifier()))
    refused(file, "is truncated, or no safetensors file")
    file.write_bytes(safetensors.numpy.save({"weights": X}))
    refused(file, "was not written by pyrelu")
    file.write_bytes(safetensors.numpy.save({"weights": X}, {"pyrelu": "no JSON", "sha256": ""}))
    refused(file, "is not as pyrelu writes it")
    with pytest.raises(FileNotFoundError):
        MLPClassifier.load(file.parent / "nothing")
    with pytest.raises(IsADirectoryError):
        MLPClassifier.load(file.parent)
    with pytest.raises(IsADirectoryError, match=re.escape(repr(str(file.parent)))):
        MLPClassifier().save(file.parent)
    with pytest.raises(FileNotFoundError, match="''"):
        MLPClassifier().save("")


def test_newer(file):
    edit(file, lambda document, arrays: document.update(format=2, version="9.1.0"))
    refused(file, r"was written by pyrelu 9\.1\.0 in format 2; this is pyrelu .* up to format 1\. Update pyrelu")


def test_parameter_of_the_future(file):
    edit(file, lambda document, arrays: document["content"].update(depth=3))
    refused(file, "has the parameter 'depth', which MLPClassifier of pyrelu .* has not")


def test_another_class(file):
    refused(file, "holds MLPClassifier, not MLPRegressor", MLPRegressor)


@pytest.mark.parametrize("key", ["format", "version", "kind", "content"])
def test_missing_key(file, key):
    edit(file, lambda document, arrays: document.pop(key))
    refused(file, f"is not as pyrelu writes it .*{key}")


def test_missing_array(file):
    edit(file, lambda document, arrays: arrays.pop("coefs_.0"))
    refused(file, r"is not as pyrelu writes it .*coefs_\.0")


@pytest.mark.parametrize(
    "code",
    [
        {"object": ["Popen", {"dict": []}]},
        {"object": ["Adam", 3]},
        {"RandomState": {"dict": [["bit_generator", "seed"]]}},
        {"eval": "1"},
        {"__init__": 1},
        {"array": "coefs_.0", "tuple": []},
        {"same": 0},
        {"objects": [[7], [1, 2]]},
    ],
)
def test_only_known_types_are_made(file, code):
    edit(file, lambda document, arrays: document["content"].update(alpha=code))
    refused(file, "is not as pyrelu writes it")


def test_pickle_of_a_newer_version(monkeypatch):
    monkeypatch.setattr(files, "FORMAT", 2)
    content = pickle.dumps(MLPClassifier())
    monkeypatch.undo()
    with pytest.raises(InvalidFileError, match=r"this pickle was written by pyrelu .* in format 2; this is pyrelu"):
        pickle.loads(content)
    mlp = MLPClassifier()
    mlp.depth = 3
    with pytest.raises(InvalidFileError, match="this pickle has the parameter 'depth'"):
        pickle.loads(pickle.dumps(mlp))


# ---- writing ----

WRITER = """
import sys, numpy as np, pyrelu
mlp = pyrelu.MLPClassifier((2000, 1500), random_state=0, max_iter=1)
import warnings; warnings.simplefilter("ignore")
mlp.partial_fit(np.eye(3), [0, 1, 2], classes=[0, 1, 2])
mlp.save(sys.argv[1])
print("saved", flush=True)
while True:
    mlp.save(sys.argv[1])
"""


def test_killed_while_writing(tmp_path):
    path = tmp_path / "mlp"
    for delay in (0.01, 0.05, 0.13):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
        assert writer.stdout.readline() == b"saved\n"
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        assert MLPClassifier.load(path).coefs_[1].shape == (2000, 1500)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(file, monkeypatch):
    before = file.read_bytes()

    def full(*args):
        raise OSError("no space left on device")

    for function in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, function, full)
            with pytest.raises(OSError, match="no space"):
                MLPClassifier().save(file)
        assert file.read_bytes() == before and os.listdir(file.parent) == ["mlp"]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        MLPClassifier().save(tmp_path / "nowhere" / "mlp")
    assert caught.value.filename == str(tmp_path / "nowhere" / "mlp")
    with pytest.raises(OSError, match="irectory"):
        MLPClassifier().save(tmp_path)
    assert os.listdir(tmp_path) == []


def test_permissions_and_links(file):
    plain = file.parent / "plain"
    plain.touch()
    assert file.stat().st_mode == plain.stat().st_mode
    file.chmod(0o640)
    link = file.parent / "link"
    link.symlink_to(file)
    MLPClassifier(alpha=5).save(link)
    assert link.is_symlink() and file.stat().st_mode & 0o777 == 0o640 and MLPClassifier.load(file).alpha == 5
    MLPClassifier(alpha=6).save(str(file))
    assert MLPClassifier.load(str(file)).alpha == 6


def test_interrupted_when_all_is_done(file, monkeypatch):
    replace = os.replace

    def interrupted(*paths):
        replace(*paths)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        MLPClassifier(alpha=5).save(file)
    assert MLPClassifier.load(file).alpha == 5 and os.listdir(file.parent) == ["mlp"]


def test_what_killed_processes_left_is_removed_and_what_others_write_is_not(tmp_path, monkeypatch):
    path = tmp_path / "mlp"
    child = "import os, sys\nos.replace = lambda *_: os.kill(os.getpid(), 9)\nimport pyrelu\npyrelu.MLPClassifier().save(sys.argv[1])"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", child, path])
    assert len(os.listdir(tmp_path)) == 1  # the second has removed the first's
    MLPClassifier().save(tmp_path / "other")
    assert len(os.listdir(tmp_path)) == 2
    child = child.replace("os.kill(os.getpid(), 9)", "(print(flush=True), sys.stdin.read(), sys.exit(1))")
    writer = subprocess.Popen([sys.executable, "-c", child, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    writer.stdout.readline()
    [left] = set(os.listdir(tmp_path)) - {"other"}
    MLPClassifier().save(path)
    assert set(os.listdir(tmp_path)) == {"mlp", "other", left}
    writer.communicate()
    assert set(os.listdir(tmp_path)) == {"mlp", "other"}


@pytest.mark.parametrize("name", ["x" * 252, "é" * 127, b"bytes", "with space"])
def test_names(name, tmp_path):
    path = os.path.join(os.fsencode(tmp_path), name) if isinstance(name, bytes) else os.path.join(tmp_path, name)
    MLPClassifier(alpha=5).save(path)
    assert MLPClassifier.load(path).alpha == 5
    with pytest.raises(InvalidFileError, match="holds MLPClassifier"):
        MLPRegressor.load(path)


def test_a_file_that_is_cut_off_while_it_is_loaded(file, monkeypatch):
    arrays = files._arrays

    def cut(data):
        os.truncate(file, 0)
        return arrays(data)

    monkeypatch.setattr(files, "_arrays", cut)
    assert MLPClassifier.load(file).coefs_[0].shape == (64, 5)


def test_devices_have_no_end(tmp_path):
    refused("/dev/zero", "is no file, but a device or a pipe")


@pytest.mark.parametrize(
    "code",
    [
        {"strings": [536870911, [3], ["a", "b", "c"]]},
        {"strings": [2**62, [1], ["a"]]},
        {"tuple": [{"array": "coefs_.0"}] * 2},
        {"scalar": {"array": "coefs_.0"}},
        {"dict": [[[1], 2]]},
        {"object": ["Step", {"dict": [["initial", 0.1], ["n_epochs", 0]]}]},
        {"object": ["LabelBinarizer", {"dict": [["fit", 1]]}]},
    ],
    ids=str,
)
def test_what_a_file_says_is_bounded_by_the_file(file, code):
    edit(file, lambda document, arrays: document["content"].update(alpha=code))
    refused(file, "is not as pyrelu writes it")


def test_nesting(file):
    code = 1
    for _ in range(3000):
        code = [code]
    with pytest.raises(TypeError, match="alpha.* is nested more than"):
        MLPClassifier(alpha=code).save(file)
    text = json.dumps({"format": 1, "version": "0", "kind": "MLPClassifier", "content": {"alpha": "@"}})
    for levels in (101, 3000, 100_000):
        deep = text.replace('"@"', "[" * levels + "]" * levels)
        file.write_bytes(safetensors.numpy.save({}, {"pyrelu": deep, "sha256": files._digest(deep, {})}))
        refused(file, "is not as pyrelu writes it")


def test_wide_strings_come_back(tmp_path):
    words = np.array([["a", "é☃"], ["", "w"]], "U40000")
    files.write(tmp_path / "file", "words", {"words": words, "narrow": words.astype("U3")})
    found = files.read(tmp_path / "file", "words")
    check_equal(found, {"words": words, "narrow": words.astype("U3")}, "words")


@pytest.mark.parametrize(("generator", "name"), [("MT19937", "pos"), ("Philox", "buffer_pos")])
@pytest.mark.parametrize("place", [-1, 10**6])
def test_random_states_read_no_further_than_their_numbers(generator, name, place, tmp_path):
    mlp = MLPClassifier(random_state=np.random.RandomState(getattr(np.random, generator)(0)))
    again = save_and_load(mlp, tmp_path)
    assert again.random_state.randint(2**31) == mlp.random_state.randint(2**31)
    path = tmp_path / "mlp.safetensors"
    mlp.save(path)
    text = json.dumps(place)

    def change(document, arrays):
        changed = re.sub(rf'(\["{name}", )\d+', rf"\g<1>{text}", json.dumps(document))
        assert changed != json.dumps(document)
        document.update(json.loads(changed))

    edit(path, change)
    refused(path, "beyond its")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("n_features_in_", 7),
        ("n_outputs_", 3),
        ("classes_", {"array": "intercepts_.0"}),
        ("out_activation_", "glu"),
        ("activation", "prelu"),
        ("coefs_", []),
        ("history_", 3),
        ("_network", 3),
        ("predict_", None),
        ("fit", None),
        ("_optimizer", {"dict": []}),
        ("_label_binarizer", None),
    ],
)
def test_an_estimator_is_as_a_fit_leaves_it(file, name, code):
    edit(file, lambda document, arrays: document["content"].update({name: code}))
    if name == "predict_":  # an attribute of its own harms nothing
        assert MLPClassifier.load(file).predict_ is None
    else:
        refused(file, "does not hold an estimator as a fit leaves it|is not as pyrelu writes it|has the parameter")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc, and limits as Linux has them")
@pytest.mark.parametrize("call", ["mlp.save(path)", "MLPClassifier.load(path)"])
def test_without_memory(call, tmp_path):
    """A MemoryError at most, whoever runs out of it; the file is as it was."""
    program = f"""if True:
        import os, pathlib, resource
        import numpy as np
        from pyrelu import MLPClassifier

        path = pathlib.Path({str(tmp_path / "mlp")!r})
        mlp = MLPClassifier((1500, 1500), max_iter=1).fit(np.eye(9), np.arange(9) % 2)
        mlp.save(path)
        before, n = path.read_bytes(), 0
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        for more in range(0, 2**28, 2**23):
            resource.setrlimit(resource.RLIMIT_AS, (size + more, resource.RLIM_INFINITY))
            try:
                {call}
            except MemoryError:
                n += 1
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert path.read_bytes() == before and os.listdir(path.parent) == ["mlp"]
        print(n < 32)
    """
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
