"""ONNX models give what the estimators give: for every row of the tables, in both precisions, run by onnxruntime."""

import numpy as np
import pandas as pd
import pytest
from helpers import few_epochs, parameter_values, rng
from onnx import TensorProto, checker, helper
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import pyrelu as pr
from pyrelu import MLPClassifier, MLPRegressor, registry
from pyrelu._functions import composed
from pyrelu._mlp.activation import names, resolve
from pyrelu.onnx import to_onnx
from pyrelu.onnx._formulas import convert
from pyrelu.onnx._graph import Graph
from pyrelu.onnx._network import add_function

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")

pytestmark = few_epochs

FEW = {"hidden_layer_sizes": (6, 5), "max_iter": 3, "random_state": 0}
DTYPES = {np.float32: 1e-6, np.float64: 1e-14}
WIDE = np.array([-1e4, -100, -50, *np.linspace(-12, 12, 481), 50, 80, 1e3], np.float32)
X = rng("X").normal(size=(150, 4)).astype(np.float32)
NUMBERS = np.array([0, 1, 5])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0)]
WORDS = np.array(["no", "maybe", "yes"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0)]
INDICATOR = (X[:, :3] > 0).astype(int)

REQUIRED = {"prelu": {"weight": 0.3}, "threshold": {"threshold": 0.1, "value": -0.2}}


def run(model, X):
    """Run a model and return its outputs."""
    checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {session.get_inputs()[0].name: np.asarray(X)})


def assert_close(got, want, tolerance, name=""):
    assert got.shape == want.shape
    worst = (np.abs(got - want) / np.maximum(1, np.abs(want))).max()
    assert worst <= tolerance, name


def network_of(activation, coefs, dtype):
    """An estimator with these weights, without biases."""
    mlp = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", max_iter=1).fit(np.eye(len(coefs[0])), coefs[0][:, 0])
    mlp.set_params(activation=activation, hidden_layer_sizes=tuple(len(coef) for coef in coefs[1:]))
    mlp.coefs_ = [coef.astype(dtype) for coef in coefs]
    mlp.intercepts_ = [np.zeros(coef.shape[1], dtype) for coef in coefs]
    activations = resolve(activation, len(coefs) - 1)
    mlp.activation_weights_ = [
        None if one.initial_slope is None else np.full(len(coef), one.initial_slope, dtype)
        for one, coef in zip(activations, coefs[1:], strict=True)
    ]
    mlp.n_layers_, mlp.n_outputs_ = len(coefs) + 1, coefs[-1].shape[1]
    return mlp


class Container:
    """As much of skl2onnx's container and scope as a `Graph` uses."""

    def __init__(self, opset):
        self.target_opset, self.nodes, self.initializers, self.n = opset, [], [], 0

    def add_initializer(self, name, kind, shape, values):
        self.initializers.append(helper.make_tensor(name, kind, shape, values))

    def add_node(self, operator, inputs, outputs, name, op_version, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, outputs, name, **attributes))

    def get_unique_variable_name(self, seed):
        self.n += 1
        return f"{seed}_{self.n}"

    get_unique_operator_name = get_unique_variable_name

    def model(self, name, kind):
        """The model of an input x and the tensor of that name."""
        ends = [[helper.make_tensor_value_info(end, kind, None)] for end in ("x", name)]
        graph = helper.make_graph(self.nodes, "graph", *ends, self.initializers)
        opset = [helper.make_opsetid("", self.target_opset)]
        return helper.make_model(graph, opset_imports=opset, ir_version=helper.find_min_ir_version_for(opset))


# ---- every row ----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", registry.activations)
def test_every_activation_of_the_table(name, dtype):
    """Over a wide range, with its default parameters and others."""
    row = registry.activations[name]
    values = [tuple((REQUIRED.get(name) or row.parameters).values())]
    values += [some for some in parameter_values(name) if some and np.abs(some).max() < 10][:9]
    x = WIDE.astype(dtype)[:, np.newaxis]
    for some in values:
        activation = (name, dict(zip(row.parameters, map(float, some), strict=True)))
        mlp = network_of(activation, [np.ones((1, 1)), np.ones((1, 1))], dtype)
        [got] = run(to_onnx(mlp, dtype=dtype), x)
        assert got.dtype == dtype
        got, want = got.ravel(), mlp.predict(x)
        finite = np.isfinite(want)  # exponential overflows
        assert np.array_equal(got[~finite], want[~finite])
        assert_close(got[finite], want[finite], DTYPES[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("opset", [13, 17, 18, 20, 24])
def test_every_name_that_a_hidden_layer_may_have(dtype, opset):
    X64 = X.astype(dtype)
    coefs = [rng("coefs").normal(size=shape) / 2 for shape in ((4, 6), (6, 3))]
    for name in names():
        given = (name, {"num_pieces": 3}) if name == "maxout" else (name, REQUIRED[name]) if name in REQUIRED else name
        units = {"maxout": 2}.get(name, 3 if registry.composed_functions.get(name) else 6)
        mlp = network_of(given, [coefs[0], coefs[1][:units]], dtype)
        [got] = run(to_onnx(mlp, dtype=dtype, target_opset=opset), X64)
        assert_close(got, mlp.predict(X64), DTYPES[dtype], name)


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", {**registry.axis_functions, **registry.composed_functions})
def test_every_function_along_an_axis(name, dtype, opset):
    container = Container(opset)
    graph = Graph(container, container, dtype)
    parameters = {"num_pieces": 3} if name == "maxout" else {}
    result = add_function(graph, name, "x", 6, parameters)
    kind = TensorProto.FLOAT if dtype == np.float32 else TensorProto.DOUBLE
    scale = 1 if name in composed.GATES else 100  # a gate's error is multiplied, and onnxruntime's is one in ULP of 1
    x = rng("x").normal(size=(40, 6)).astype(dtype)
    x[:20] *= scale
    x[0] = 1
    session = onnxruntime.InferenceSession(container.model(result, kind).SerializeToString())
    [got] = session.run(None, {"x": x})
    assert_close(got, getattr(pr, name)(x, *parameters.values()), DTYPES[dtype])


def test_a_formula_without_onnx_form_is_refused_by_name():
    container = Container(17)
    with pytest.raises(ValueError, match=r"cosh\(x\) in the formula log\(cosh\(x\)\) has no ONNX form"):
        convert(Graph(container, container, np.float32), "log(cosh(x))", {"x": "x"}, 1, {})


def test_newer_operators_only_where_asked_for():
    def operators(activation, **keywords):
        model = to_onnx(network_of(activation, [np.ones((1, 1))] * 2, np.float32), **keywords)
        return model.opset_import[0].version, {node.op_type for node in model.graph.node}

    for activation, operator, opset in (("gelu", "Gelu", 20), (("gelu", {"approximate": "tanh"}), "Gelu", 20),
                                        ("silu", "Swish", 24), ("quick_gelu", "Swish", 24), ("mish", "Mish", 18)):  # fmt: skip
        version, found = operators(activation)
        assert version == 17 and operator not in found
        assert operator not in operators(activation, target_opset=opset - 1)[1]
        version, found = operators(activation, target_opset=opset)
        assert version == opset and operator in found


def test_common_activations_are_one_operator():
    for activation, operator in (("relu", "Relu"), ("leaky_relu", "LeakyRelu"), ("elu", "Elu"), ("tanh", "Tanh"),
                                 ("logistic", "Sigmoid"), ("softplus", "Softplus"), ("relu6", "Clip"),
                                 ("softmax", "Softmax"), ("log_softmax", "LogSoftmax"), ("selu", "Selu")):  # fmt: skip
        model = to_onnx(network_of(activation, [np.ones((1, 1))] * 2, np.float32))
        assert operator in {node.op_type for node in model.graph.node}


# ---- estimators ----


@pytest.mark.parametrize("loss", ["log_loss", "focal", "hinge", "squared_hinge"])
@pytest.mark.parametrize("y", [NUMBERS, WORDS, NUMBERS > 0, NUMBERS > 9, WORDS == "yes", INDICATOR, INDICATOR[:, :2],
                               NUMBERS.astype(float), np.where(NUMBERS > 0, "a", "b").astype(object)],
                         ids=["numbers", "words", "bools", "one", "two", "labels", "two labels", "floats", "objects"])  # fmt: skip
def test_classifiers(y, loss):
    mlp = MLPClassifier(loss=loss, activation="gelu", **FEW).fit(X, y)
    label, scores = run(to_onnx(mlp, options={"zipmap": False}), X)
    assert np.array_equal(label, mlp.predict(X))
    assert label.shape == y.shape
    assert label.dtype == (object if mlp.classes_.dtype.kind in "UO" else np.int64)
    if hasattr(mlp, "predict_proba"):
        assert_close(scores, mlp.predict_proba(X), 1e-6)
    else:
        margins = mlp.decision_function(X)
        assert_close(scores, np.stack([-margins, margins], axis=1) if margins.ndim == 1 else margins, 1e-6)


def test_options_of_skl2onnx():
    mlp = MLPClassifier(**FEW).fit(X, WORDS)
    want = mlp.predict_proba(X)
    label, dicts = run(to_onnx(mlp), X)  # the default of skl2onnx
    assert np.array_equal(label, mlp.predict(X))
    assert list(dicts[0]) == list(mlp.classes_)
    assert_close(np.array([list(one.values()) for one in dicts]), want, 1e-6)
    label, *columns = run(to_onnx(mlp, options={"zipmap": "columns"}), X)
    assert_close(np.stack(columns, axis=1).reshape(want.shape), want, 1e-6)
    numbers, _ = run(to_onnx(mlp, options={"zipmap": False, "nocl": True}), X)
    assert np.array_equal(mlp.classes_[numbers], mlp.predict(X))
    *_, classes = run(to_onnx(mlp, options={"zipmap": False, "output_class_labels": True}), X)
    assert classes.tolist() == mlp.classes_.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", [name for name, row in registry.losses.items() if row.estimator == "regressor"])
def test_regressors(loss, dtype):
    Y = 1 + np.abs(X[:, :2] @ [[1.0, 2.0], [0.5, -1.0]])
    for y in (Y, Y[:, 0]):
        mlp = MLPRegressor(loss, **FEW).fit(X.astype(dtype), y)
        [got] = run(to_onnx(mlp, dtype=dtype), X.astype(dtype))
        assert_close(got, mlp.predict(X.astype(dtype)).reshape(len(X), -1), DTYPES[dtype])


@pytest.mark.parametrize("monotone", [False, True])
def test_quantiles(monotone):
    loss = ("quantile", {"level": [0.9, 0.1, 0.5], "monotone": monotone})
    mlp = MLPRegressor(loss, **FEW).fit(X, X[:, 0])
    want = mlp.predict(X)
    assert (np.diff(want[:, [1, 2, 0]]) >= 0).all() == monotone  # else the sorting would not be seen
    [got] = run(to_onnx(mlp), X)
    assert_close(got, want, 1e-6)


def test_own_losses_are_no_obstacle():
    mlp = MLPRegressor((lambda t, y: (y - t) ** 2, lambda t, y: 2 * (y - t)), **FEW).fit(X, X[:, 0])
    assert_close(run(to_onnx(mlp), X)[0].ravel(), mlp.predict(X), 1e-6)


@pytest.mark.parametrize("activation", ["prelu", "rrelu", ("rrelu", "prelu"), ("maxout", "swiglu")])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_learned_and_random_slopes(activation, solver):
    mlp = MLPClassifier(activation=activation, solver=solver, **FEW | {"max_iter": 20}).fit(X, NUMBERS)
    if activation == "prelu":
        assert np.ptp(mlp.activation_weights_[0]) > 0
    _, got = run(to_onnx(mlp, options={"zipmap": False}), X)
    assert_close(got, mlp.predict_proba(X), 1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [None, *registry.embeddings])
@pytest.mark.parametrize("more", [{}, {"categorical_features": [1, 3]}, {"categorical_features": [0, 1, 2, 3]},
                                  {"numeric_features": [2], "categorical_features": [1]},
                                  {"scale_inputs": True, "categorical_features": [0]}], ids=str)  # fmt: skip
def test_embeddings_of_the_inputs(kind, more, dtype):
    columns = more.get("categorical_features", [])
    more = more if kind else {name: value for name, value in more.items() if name != "numeric_features"}
    rows = X.astype(dtype)
    rows[:, columns] = np.floor(3 * np.abs(rows[:, columns]))
    mlp = MLPRegressor(numeric_embedding=kind, activation="silu", **more, **FEW).fit(rows, X[:, 0])
    rows[::3, columns] += 100  # no category of these
    rows[1::3, columns] -= 50
    rows[2::6, columns] += 0.5
    assert_close(run(to_onnx(mlp, dtype=dtype), rows)[0].ravel(), mlp.predict(rows), DTYPES[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ["relu", "mish", ("softplus", {"beta": 2})])
def test_parametric_activations(activation, dtype):
    mlp = MLPRegressor(activation=activation, parametric_activation=True, **FEW | {"max_iter": 20})
    mlp.fit(X.astype(dtype), X[:, 0])
    assert np.ptp(mlp.activation_weights_[0]) > 0
    assert_close(
        run(to_onnx(mlp, dtype=dtype), X.astype(dtype))[0].ravel(), mlp.predict(X.astype(dtype)), DTYPES[dtype]
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", [
    (MLPRegressor, X[:, 0], {"numeric_embedding": "periodic", "activation": ["prelu", "softmax"]}),
    (MLPRegressor, abs(X[:, :2]), {"loss": "poisson", "activation": ["glu", "relu"]}),
    (MLPClassifier, WORDS, {"activation": "mish", "parametric_activation": True}),
    (MLPClassifier, INDICATOR, {"hidden_layer_sizes": (6,)}),
])  # fmt: skip
def test_ensembles(case, dtype):
    """The mean of the members' outputs is that of the graph, also where rows are many or one."""
    cls, y, given = case
    mlp = cls(ensemble_size=4, **FEW | given).fit(X.astype(dtype), y)
    model = to_onnx(mlp, dtype=dtype, **({} if cls is MLPRegressor else {"options": {"zipmap": False}}))
    for rows in (X.astype(dtype), X[:1].astype(dtype)):
        want = mlp.predict(rows) if cls is MLPRegressor else mlp.predict_proba(rows)
        assert_close(run(model, rows)[-1].reshape(want.shape), want, DTYPES[dtype])


def test_no_hidden_layer():
    mlp = MLPClassifier(hidden_layer_sizes=(), solver="lbfgs").fit(X, NUMBERS)
    assert_close(run(to_onnx(mlp, options={"zipmap": False}), X)[1], mlp.predict_proba(X), 1e-6)


# ---- what stands around them ----


def test_pipelines_by_skl2onnx_itself():
    pipeline = make_pipeline(StandardScaler(), MLPRegressor(activation="mish", **FEW)).fit(X, X[:, 0])
    [got] = run(skl2onnx.to_onnx(pipeline, X[:1], target_opset=17), X)
    assert_close(got.ravel(), pipeline.predict(X), 1e-6)


def test_a_search_over_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**FEW))
    search = GridSearchCV(pipeline, {"mlpclassifier__activation": ["silu", "tanh"]}, cv=2).fit(X, WORDS)
    label, got = run(to_onnx(search, options={"zipmap": False}), X)
    assert np.array_equal(label, search.predict(X))
    assert_close(got, search.predict_proba(X), 1e-6)


def test_columns_of_a_frame():
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "word": WORDS})
    columns = make_column_transformer((StandardScaler(), ["a", "b"]), (OneHotEncoder(sparse_output=False), ["word"]))
    pipeline = make_pipeline(columns, MLPRegressor(activation="selu", **FEW)).fit(frame, X[:, 2])
    session = onnxruntime.InferenceSession(to_onnx(pipeline, frame[:1]).SerializeToString())
    [got] = session.run(None, {name: frame[[name]].to_numpy() for name in frame})
    assert_close(got.ravel(), pipeline.predict(frame), 1e-6)


def test_integers_are_cast():
    whole = (3 * X).round().astype(np.int64)
    mlp = MLPRegressor(**FEW).fit(whole.astype(np.float32), X[:, 0])
    assert_close(run(to_onnx(mlp, whole[:1]), whole)[0].ravel(), mlp.predict(whole.astype(np.float32)), 1e-6)


def test_frames_of_numbers_alone():
    frame = pd.DataFrame(X, columns=list("abcd"))
    mlp = MLPRegressor(**FEW).fit(frame, X[:, 0])
    session = onnxruntime.InferenceSession(to_onnx(mlp, frame[:1]).SerializeToString())
    [got] = session.run(None, {name: frame[[name]].to_numpy() for name in frame})
    assert_close(got.ravel(), mlp.predict(frame), 1e-6)


# ---- errors ----


def test_python_functions_are_refused():
    mlp = MLPRegressor(activation=(np.sin, np.cos), **FEW).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"activation=.*a Python function has no ONNX form"):
        to_onnx(mlp)


def test_labels_of_both_kinds_are_refused():
    y = np.where(NUMBERS > 0, 0.5, 1.5)
    y = np.array([{0.5: "a", 1.5: "b"}[one] for one in y])
    mlp = MLPClassifier(**FEW).fit(X, y)
    mlp.classes_ = np.array(["a", 3], dtype=object)
    with pytest.raises(ValueError, match="all integers or all strings"):
        to_onnx(mlp, options={"zipmap": False})


@pytest.mark.parametrize("keywords", [{"dtype": int}, {"target_opset": 12}, {"target_opset": 99}, {"target_opset": "17"},
                                      {"target_opset": {"ai.onnx.ml": 3}}])  # fmt: skip
def test_parameters_are_checked(keywords):
    [name] = keywords
    with pytest.raises(ValueError, match=name):
        to_onnx(MLPRegressor(**FEW).fit(X, X[:, 0]), **keywords)


def test_unfitted_estimators_are_refused():
    with pytest.raises(NotFittedError):
        to_onnx(MLPRegressor())
