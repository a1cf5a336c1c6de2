"""ONNX models of tabular estimators and their preprocessor: every kind of column, scale, target and ensemble."""

import numpy as np
import pandas as pd
import pytest
from helpers import few_epochs, rng
from scipy.special import ndtri
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tabular_cases import SMALL, labels, numbers, table
from test_onnx import Container

from pyrelu import MLPRegressor, TabularMLPClassifier, TabularMLPRegressor, registry
from pyrelu._mlp import losses
from pyrelu._text import number_as_text
from pyrelu.onnx import to_onnx
from pyrelu.onnx._formulas import convert
from pyrelu.onnx._graph import Graph
from pyrelu.tabular import TablePreprocessor
from pyrelu.tabular._scaling import SCALES

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
onnx = pytest.importorskip("onnx")

pytestmark = few_epochs

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, "tensor(bool)": bool}
DTYPES = {np.float32: 1e-6, np.float64: 1e-6}  # the networks are of float32
X = table().astype({"number": np.float32})  # no digits that an input of float32 would lose


def as_text(value):
    """A category as a level has it: 3.0 as "3", what is missing as ""."""
    if pd.isna(value):
        return ""
    return str(value) if isinstance(value, str | bool | np.bool_) else number_as_text(value)


def as_tensor(column, of_input):
    """A column as an input takes it: texts, or numbers, days of dates and durations."""
    if of_input == "tensor(string)":
        return np.array([as_text(value) for value in column.array], object)[:, np.newaxis]
    if column.dtype.kind == "M":
        column = (column - pd.Timestamp(0)) / pd.Timedelta(days=1)
    if column.dtype.kind == "m":
        column = column / pd.Timedelta(days=1)
    missing = {"na_value": np.nan} if column.isna().any() else {}
    return column.to_numpy(dtype=TYPES[of_input], **missing)[:, np.newaxis]


def run(model, X):
    """Run a model on a frame and return its outputs."""
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {one.name: as_tensor(X[one.name], one.type) for one in session.get_inputs()})


def assert_close(got, want, tolerance=1e-6):
    assert got.shape == want.shape
    assert (np.abs(got - want) / np.maximum(1, np.abs(want))).max() <= tolerance


def assert_classifies(estimator, X, **keywords):
    label, scores = run(to_onnx(estimator, options={"zipmap": False}, **keywords), X)
    assert np.array_equal(label, estimator.predict(X))
    assert_close(scores, estimator.predict_proba(X))


# ---- the preprocessor ----


@pytest.mark.parametrize("numeric", SCALES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("more", [{}, {"max_one_hot": 2}, {"add_indicator": False}, {"categorical_features": ["count"]}],
                         ids=str)  # fmt: skip
def test_the_matrix_of_a_table(numeric, dtype, more):
    random = rng("table")
    X = table(300).assign(
        tied=random.integers(0, 4, 300) / 10,
        wide=np.exp(30 * random.normal(size=300)),
        long=pd.to_timedelta(random.integers(0, 9999, 300), "h"),
        two=random.choice(["a", ""], 300),
    )
    X["number"] = X["number"].astype(np.float32)
    preprocessor = TablePreprocessor(numeric=numeric, dtype=np.dtype(dtype).name, **more).fit(X[:200])
    X.loc[X.index[200:], "colour"] = "purple"
    X.loc[X.index[250:], "tied"] = np.nan  # none was missing in the fit
    X.loc[X.index[240:], "wide"] = np.resize([1e300, -1e300, 0, 3e-320], 60)
    X.loc[X.index[200:220], "same"] = 2.0
    [got] = run(to_onnx(preprocessor, dtype=np.float64), X)
    assert_close(got, preprocessor.transform(X).astype(np.float64), 1e-6 if dtype == np.float32 else 1e-12)


def test_extremes_of_constant_columns():
    X = pd.DataFrame({"a": [-1e308, -1e308], "b": [0.0, 1.0]})
    preprocessor = TablePreprocessor(dtype="float64").fit(X)
    X = pd.DataFrame({"a": [1e308, 0.0], "b": [1e308, -1e308]})
    assert_close(run(to_onnx(preprocessor, dtype=np.float64), X)[0], preprocessor.transform(X), 1e-15)


def test_normal_quantiles():
    p = np.concatenate(
        [np.linspace(0.001, 0.999, 2001), np.geomspace(1e-8, 1e-3, 200), 1 - np.geomspace(1e-8, 1e-3, 200)]
    )
    container = Container(17)
    name = convert(Graph(container, container, np.float64), "normal_quantile(x)", {"x": "x"}, 1, {})
    model = container.model(name, onnx.TensorProto.DOUBLE)
    [got] = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": p[:, np.newaxis]})
    assert np.abs(got.ravel() - ndtri(p)).max() < 1e-11


def test_levels_that_are_numbers():
    """In whatever type they come: a level is known by its text."""
    n = rng("levels").integers(0, 12, 60)
    values = {
        "int": n,
        "float": n / 4,
        "float32": (n / np.float32(10)).astype(np.float32),
        "bool": n > 5,
        "text": np.array([f"{one}" for one in n], object),
        "large": n + 2**60,
    }
    X = pd.DataFrame(values)
    preprocessor = TablePreprocessor(categorical_features=list(values), max_one_hot=3).fit(X[n != 3])
    want = preprocessor.transform(X)
    model = to_onnx(preprocessor, X[:1])
    kinds = {one.name: one.type.tensor_type.elem_type for one in model.graph.input}
    kind = onnx.TensorProto
    assert list(kinds.values()) == [kind.INT64, kind.DOUBLE, kind.FLOAT, kind.BOOL, kind.STRING, kind.INT64]
    assert_close(run(model, X)[0], want)
    assert_close(run(to_onnx(preprocessor), X)[0], want)  # as texts
    X = X.assign(float=np.where(n == 5, np.nan, X["float"]))
    assert_close(run(model, X)[0], preprocessor.transform(X))


def test_booleans_as_numbers():
    X = pd.DataFrame({"flag": pd.array([True, False, None, True], "boolean"), "n": [1.0, 2.0, 3.0, 4.0]})
    preprocessor = TablePreprocessor().fit(X)
    given = pd.DataFrame({"flag": [1.0, 0.0, np.nan, 2.0], "n": X["n"]})
    assert_close(run(to_onnx(preprocessor, given), given)[0], preprocessor.transform(given))


def test_types_of_other_frames():
    pl = pytest.importorskip("polars")
    X = pl.DataFrame({"day": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 9), eager=True), "n": range(9)})
    preprocessor = TablePreprocessor().fit(X)
    model = to_onnx(preprocessor, X.select("n", "day"))  # in the order of the fit
    assert [one.name for one in model.graph.input] == ["day", "n"]
    assert_close(run(model, X.to_pandas())[0], preprocessor.transform(X))


# ---- estimators ----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("numeric", SCALES)
def test_every_kind_of_column(numeric, dtype):
    classifier = TabularMLPClassifier(numeric=numeric, **SMALL).fit(X, labels(X))
    assert {facts["kind"] for facts in classifier.preprocessor_.columns_} >= {"number", "boolean", "category", "date"}
    unknown = X.assign(town="nowhere", number=X["number"].where(X["count"] > 2))
    for rows in (X, unknown):
        assert_classifies(classifier, rows, dtype=dtype)
    regressor = TabularMLPRegressor(numeric=numeric, **SMALL).fit(X, numbers(X))
    for rows in (X, unknown):
        [got] = run(to_onnx(regressor, dtype=dtype), rows)
        assert got.dtype == dtype
        assert_close(got.ravel(), regressor.predict(rows))


@pytest.mark.parametrize("more", [{"n_members": 3}, {"n_members": 2, "ensemble_size": 3}, {"cv": 2}, {"calibrate": False}, {"preset": "td-s"},
                                  {"early_stopping": False}, {"early_stopping": False, "calibrate": False}],
                         ids=str)  # fmt: skip
@pytest.mark.parametrize("y", ["two", "three", "several"])
def test_ensembles_and_calibrations(more, y):
    three = np.select([X["number"] > 0.5, X["colour"] == "red"], [7, 2], 0)
    targets = {"two": labels(X), "three": three, "several": np.stack([three > 0, three == 7], axis=1).astype(int)}[y]
    estimator = TabularMLPClassifier(**SMALL | more).fit(X, targets)
    assert_classifies(estimator, X)


def test_temperatures_and_smoothing_are_seen():
    """That the estimators above have either, so that a model without them would be wrong."""
    tempered = TabularMLPClassifier(n_members=3, **SMALL).fit(X, labels(X))
    assert all(network.temperature_ != 1 for network in tempered.estimators_)
    smoothed = TabularMLPClassifier(early_stopping=False, **SMALL).fit(X, labels(X))
    assert smoothed.estimators_[0].undoes_smoothing_ and smoothed.estimators_[0].label_smoothing


@pytest.mark.parametrize("loss", losses.names("classifier"))
@pytest.mark.parametrize("n_classes", [1, 2, 3])
def test_losses_of_classifiers(loss, n_classes):
    y = np.arange(len(X)) % n_classes + 4
    estimator = TabularMLPClassifier(loss=loss, **SMALL).fit(X, y)
    label, scores = run(to_onnx(estimator, options={"zipmap": False}), X)
    assert np.array_equal(label, estimator.predict(X))
    if hasattr(estimator, "predict_proba"):
        assert_close(scores, estimator.predict_proba(X))
    else:
        margins = estimator.decision_function(X)
        assert_close(scores, np.stack([-margins, margins], axis=1) if margins.ndim == 1 else margins)


@pytest.mark.parametrize("loss", [*(name for name, row in registry.losses.items() if row.estimator == "regressor"),
                                  ("quantile", {"level": [0.9, 0.1, 0.5], "monotone": True}),
                                  (lambda t, y: (y - t) ** 2, lambda t, y: 2 * (y - t))],
                         ids=lambda loss: "functions" if callable(loss[0]) else str(loss))  # fmt: skip
def test_losses_of_regressors(loss):
    y = numbers(X)
    for targets in (y,) if isinstance(loss, tuple) else (y, np.stack([y, 3 * y], axis=1)):
        estimator = TabularMLPRegressor(loss=loss, n_members=2, **SMALL).fit(X, targets)
        want = estimator.predict(X)
        assert_close(run(to_onnx(estimator), X)[0], want.reshape(len(X), -1))


def test_predictions_stay_in_the_range_of_y():
    estimator = TabularMLPRegressor(**SMALL).fit(X, numbers(X))
    ends = np.quantile(estimator.predict(X), [0.3, 0.6])
    for network in estimator.estimators_:
        network.target_range_ = ends
    want = estimator.predict(X)
    assert {*ends} <= {*want}
    assert_close(run(to_onnx(estimator), X)[0].ravel(), want)


# ---- what stands around them ----


def test_searches_and_pipelines():
    search = GridSearchCV(TabularMLPRegressor(**SMALL), {"max_one_hot": [2, 8]}, cv=2).fit(X, numbers(X))
    assert_close(run(to_onnx(search), X)[0].ravel(), search.predict(X))
    pipeline = make_pipeline(TablePreprocessor(), MLPRegressor(hidden_layer_sizes=16, max_iter=8, random_state=0)).fit(
        X, numbers(X)
    )
    assert_close(run(to_onnx(pipeline), X)[0].ravel(), pipeline.predict(X))


def test_one_input_of_all_columns():
    rows = rng("rows").normal(size=(80, 3)).astype(np.float32)
    for estimator in (TabularMLPRegressor(**SMALL), make_pipeline(StandardScaler(), TabularMLPRegressor(**SMALL))):
        estimator.fit(rows, rows[:, 0])
        model = skl2onnx.to_onnx(estimator, rows[:1], target_opset=17)
        [got] = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": rows})
        assert_close(got.ravel(), estimator.predict(rows), 2e-6)  # of float32 sums over two layers


def test_columns_without_names():
    rows = [[1.0, "a"], [2.0, "b"], [None, "a"], [4.0, None]] * 10
    estimator = TabularMLPRegressor(**SMALL).fit(rows, np.arange(40))
    got = run(to_onnx(estimator), pd.DataFrame(rows, columns=["x0", "x1"]).astype({"x1": object}))[0]
    assert_close(got.ravel(), estimator.predict(rows))


def test_columns_without_values_have_no_input():
    estimator = TabularMLPRegressor(**SMALL).fit(X, numbers(X))
    assert [one.name for one in to_onnx(estimator).graph.input] == [name for name in X if name != "nothing"]


def test_names_of_all_sorts():
    names = ["unit price (\u20ac)", "unit_price____", "2 towns", "label_"]
    frame = X[["number", "count", "town", "colour"]].set_axis(names, axis=1)
    estimator = TabularMLPClassifier(**SMALL).fit(frame, labels(X))
    assert [one.name for one in to_onnx(estimator).graph.input] == names
    assert_classifies(estimator, frame)


def test_names_that_outputs_have():
    frame = X[["number", "colour"]].rename(columns={"number": "label", "colour": "probabilities"})
    estimator = TabularMLPClassifier(**SMALL).fit(frame, labels(X))
    model = to_onnx(estimator, options={"zipmap": False})
    assert [one.name for one in model.graph.output] == ["label", "probabilities"]
    got = run(model, frame.rename(columns={"label": "label1", "probabilities": "probabilities1"}))[1]
    assert_close(got, estimator.predict_proba(frame))


# ---- errors ----


def test_texts_for_numbers_are_refused():
    estimator = TabularMLPRegressor(**SMALL).fit(X[["number"]], numbers(X))
    texts = [("number", skl2onnx.common.data_types.StringTensorType([None, 1]))]
    with pytest.raises(ValueError, match="column 'number' held numbers, .* not of strings"):
        skl2onnx.to_onnx(estimator, initial_types=texts)


def test_numbers_for_texts_are_refused():
    estimator = TabularMLPRegressor(**SMALL).fit(X[["colour"]], numbers(X))
    real = [("colour", skl2onnx.common.data_types.FloatTensorType([None, 1]))]
    with pytest.raises(ValueError, match="column 'colour' held categories .* none of which is a number"):
        skl2onnx.to_onnx(estimator, initial_types=real)


@pytest.mark.parametrize("shape", [[None, 2], [None, 4], [None]])
def test_other_columns_are_refused(shape):
    estimator = TabularMLPRegressor(**SMALL).fit(X[["number", "count", "same"]], numbers(X))
    with pytest.raises(ValueError, match="columns"):
        skl2onnx.to_onnx(estimator, initial_types=[("X", skl2onnx.common.data_types.FloatTensorType(shape))])


def test_unfitted_estimators_are_refused():
    with pytest.raises(NotFittedError):
        to_onnx(TabularMLPRegressor())
