"""Files and pickles of estimators: nothing is lost, and no code runs."""

import copy
import os
import pickle
import pickletools
import re
import tempfile

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
from pyrelu._mlp.optimizers import STOCHASTIC
from pyrelu._storage import files

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


def skops_and_back(mlp, tmp_path):
    """What has to be trusted is the estimator's class alone."""
    skops = pytest.importorskip("skops.io")
    content = skops.dumps(mlp)
    name = f"{type(mlp).__module__}.{type(mlp).__name__}"
    assert skops.get_untrusted_types(data=content) == [name]
    return skops.loads(content, trusted=[name])


def targets(mlp):
    """Some that the estimator can go on with."""
    if hasattr(mlp, "_label_binarizer"):
        return mlp.predict(pd.DataFrame(X).add_prefix("x") if hasattr(mlp, "feature_names_in_") else X)
    return y if mlp.n_outputs_ == 1 else np.c_[y, y]


@pytest.mark.parametrize("way", [save_and_load, pickle_and_unpickle, dump_and_load, deepcopy, skops_and_back])
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


def test_wide_strings_come_back(tmp_path):
    words = np.array([["a", "é☃"], ["", "w"]], "U40000")
    files.write(tmp_path / "file", "words", {"words": words, "narrow": words.astype("U3")})
    found = files.read(tmp_path / "file", "words")
    check_equal(found, {"words": words, "narrow": words.astype("U3")}, "words")


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


def test_a_pickle_holds_no_class_of_ours_but_the_estimator():
    for solver, cls in STOCHASTIC.items():
        mlp = MLPRegressor(solver=solver, learning_rate="step", max_iter=2).fit(X, y)
        found = {text for code, text, _ in pickletools.genops(pickle.dumps(mlp, protocol=2)) if code.name == "GLOBAL"}
        assert {text for text in found if text.startswith("pyrelu")} == {"pyrelu.neural_network MLPRegressor"}
        assert type(pickle.loads(pickle.dumps(mlp))._optimizer) is cls


def test_a_parameter_is_never_taken_for_an_object():
    mlp = MLPClassifier(class_weight={"object": 2.0})
    assert pickle.loads(pickle.dumps(mlp)).class_weight == {"object": 2.0}


def test_a_pickle_with_the_optimizer_as_an_object_is_still_read():
    mlp = MLPRegressor(max_iter=2).fit(X, y)
    state = mlp.__getstate__() | {"_optimizer": mlp._optimizer}
    again = object.__new__(MLPRegressor)
    again.__setstate__(state)
    assert again._optimizer is mlp._optimizer


@pytest.mark.parametrize(
    "broken", [{"object": ["dict", {}]}, {"object": ["Adam", {}]}, {"object": ["Adam", {"state": 3}]}]
)
def test_an_optimizer_is_checked_before_it_is_put_together(broken):
    mlp = MLPRegressor(max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match="no class is called|the attributes"):
        object.__new__(MLPRegressor).__setstate__(mlp.__getstate__() | {"_optimizer": broken})
