"""from_torch and to_torch, and functions of tensors: where torch is installed, as in one job of CI."""

import re
from pathlib import Path

import numpy as np
import pytest
from helpers import few_epochs
from sklearn.exceptions import NotFittedError

import pyrelu as pr
from pyrelu import MLPClassifier, MLPRegressor, registry
from pyrelu._mlp.activation import names

torch = pytest.importorskip("torch")
nn = torch.nn

pytestmark = few_epochs

FEW = {"hidden_layer_sizes": (6, 5), "max_iter": 3, "random_state": 0}
X = np.random.default_rng(0).normal(size=(150, 4)).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
REQUIRED = {"prelu": {"weight": 0.3}, "threshold": {"threshold": 0.1, "value": -0.2}}


def outputs_of(mlp, X=X):
    if isinstance(mlp, MLPRegressor):
        return mlp.predict(X).reshape(len(X), -1)
    if hasattr(mlp, "decision_function"):
        return mlp.decision_function(X).reshape(len(X), -1)
    return mlp.predict_proba(X)[:, -mlp.n_outputs_ :]


def run(module, X=X):
    with torch.no_grad():
        return module(torch.from_numpy(X)).numpy()


def assert_close(got, want, tolerance=2e-6):
    assert got.shape == want.shape and got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def in_torch(name):
    """Whether torch has a module for an activation, by its names alone."""
    row = registry.find(name) if name in registry.names() else None
    known = (row.choice_of[0] if row.choice_of else row.name) if row else name
    return known.replace("_", "") in {key.lower() for key in vars(nn)}


def network(activation, dtype=np.float32):
    return MLPRegressor(activation=activation, **FEW).fit(X.astype(dtype), X[:, :2])


# ---- to torch ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", names())
def test_every_activation_is_a_module_and_back_or_refused_by_name(name, dtype):
    mlp = network((name, REQUIRED[name]) if name in REQUIRED else name, dtype)
    if not in_torch(name):
        with pytest.raises(
            ValueError, match=f"no module for {registry.find(name).name if name in registry.names() else name}"
        ):
            mlp.to_torch()
        return
    module = mlp.to_torch()
    assert not module.training
    X_ = X.astype(dtype)
    tolerance = 2e-6 if dtype == np.float32 else 1e-8 if name == "softplus" else 1e-14  # torch's is linear above 20
    assert_close(run(module, X_), outputs_of(mlp, X_), tolerance)
    back = MLPRegressor.from_torch(module)
    assert back.coefs_[0].dtype == dtype
    assert_close(back.predict(X_), mlp.predict(X_), 1e-6 if dtype == np.float32 else 1e-15)


@pytest.mark.parametrize(
    "activation",
    [("leaky_relu", {"negative_slope": 0.3}), ("gelu", {"approximate": "tanh"}), ("softplus", {"beta": 2}),
     ("hardtanh", {"min_val": -0.5, "max_val": 2}), ("elu", {"alpha": 0.5}), ("rrelu", {"lower": 0.1, "upper": 0.5}),
     ("relu", "mish"), ("identity", ("celu", {"alpha": 2}))],
    ids=str,
)  # fmt: skip
def test_parameters_go_along(activation):
    mlp = network(activation)
    module = mlp.to_torch()
    assert_close(run(module), outputs_of(mlp))
    back = MLPRegressor.from_torch(module)
    assert_close(back.predict(X), mlp.predict(X))
    assert_close(back.set_params(**FEW).fit(X, X[:, :2]).predict(X), mlp.predict(X))  # as a user may write it


@pytest.mark.parametrize("loss", ["log_loss", "hinge"])
@pytest.mark.parametrize("y", [LABELS, LABELS > 0, (X[:, :3] > 0).astype(int), LABELS.astype(str)],
                         ids=["three", "two", "labels", "words"])  # fmt: skip
def test_classifiers(y, loss):
    mlp = MLPClassifier(activation="silu", loss=loss, **FEW).fit(X, y)
    module = mlp.to_torch()
    assert_close(run(module), outputs_of(mlp))
    if loss == "log_loss":
        classes = None if y.ndim == 2 else mlp.classes_
        back = MLPClassifier.from_torch(module, classes)
        assert np.array_equal(back.predict(X), mlp.predict(X))
        assert_close(back.predict_proba(X), mlp.predict_proba(X))
        assert back.classes_.tolist() == mlp.classes_.tolist()


def test_learned_slopes_and_dropout():
    mlp = MLPRegressor(activation="prelu", dropout=[0.1, 0.2, 0.3], **FEW | {"max_iter": 20}).fit(X, X[:, 0])
    assert np.ptp(mlp.activation_weights_[0]) > 0
    module = mlp.to_torch()
    assert [layer.p for layer in module if isinstance(layer, nn.Dropout)] == [0.1, 0.2, 0.3]
    assert_close(run(module), outputs_of(mlp))
    back = MLPRegressor.from_torch(module)
    assert back.dropout == [0.1, 0.2, 0.3]
    assert_close(back.predict(X), mlp.predict(X), 1e-7)


@pytest.mark.parametrize(
    "mlp, said",
    [(MLPRegressor("poisson", **FEW), "loss='poisson': torch.nn has no module for exponential"),
     (MLPRegressor(("quantile", {"level": [0.1, 0.9], "monotone": True}), **FEW), "loss=.*sorts"),
     (MLPRegressor(numeric_embedding="periodic", **FEW), "numeric_embedding, .* no modules"),
     (MLPRegressor(ensemble_size=3, **FEW), "cannot express an ensemble.*ensemble_size=3"),
     (MLPRegressor(parametric_activation=True, **FEW), "parametric_activation=True"),
     (MLPRegressor(activation=(np.sin, np.cos), **FEW), "activation=.*no module for sin")],
    ids=["exp", "sorted", "embedding", "ensemble", "parametric", "own"],
)  # fmt: skip
def test_what_torch_has_not(mlp, said):
    mlp.fit(X, np.abs(X[:, 0]))
    with pytest.raises(ValueError, match=said):
        mlp.to_torch()


def test_unfitted_estimators_are_refused():
    with pytest.raises(NotFittedError):
        MLPRegressor().to_torch()


# ---- from torch ----


def sequential(*end, n_outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Dropout(0.1), nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Dropout(0.25)), nn.Linear(6, 10, bias=False), nn.GLU(),
        nn.Linear(5, n_outputs), *end,
    ).eval()  # fmt: skip


def test_a_network_of_torch():
    module = sequential()
    mlp = MLPRegressor.from_torch(module)
    assert (mlp.hidden_layer_sizes, mlp.activation, mlp.dropout) == ((6, 5), ["gelu", "glu"], [0.1, 0.25, 0.0])
    assert_close(mlp.predict(X), run(module))


@pytest.mark.parametrize("end", [None, nn.Softmax(dim=1), nn.LogSoftmax(dim=-1)])
@pytest.mark.parametrize("n_outputs", [2, 3])
def test_logits_and_probabilities(end, n_outputs):
    module = sequential(*[end] if end else [], n_outputs=n_outputs)
    mlp = MLPClassifier.from_torch(module, ["a", "b", "c"][:n_outputs])
    scores = torch.from_numpy(run(module))
    want = torch.exp(scores) if isinstance(end, nn.LogSoftmax) else scores if end else torch.softmax(scores, 1)
    assert_close(mlp.predict_proba(X), want.numpy())
    assert np.array_equal(mlp.predict(X), mlp.classes_[scores.argmax(1)])


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_sigmoid(n_outputs):
    module = sequential(nn.Sigmoid(), n_outputs=n_outputs)
    mlp = MLPClassifier.from_torch(module)
    assert_close(outputs_of(mlp), run(module))
    if n_outputs == 1:
        logits = MLPClassifier.from_torch(module[:-1])
        assert_close(outputs_of(logits), run(module))


def test_training_goes_on():
    y = X[:, :3]
    for more in ("partial_fit", "fit"):
        mlp = MLPRegressor.from_torch(sequential()).set_params(warm_start=True, max_iter=20, random_state=0)
        before = mlp.score(X, y)
        for _ in range(20):
            getattr(mlp, more)(X, y)
        assert mlp.score(X, y) > before and mlp.coefs_[0].dtype == np.float32
    classifier = MLPClassifier.from_torch(sequential())
    assert classifier.partial_fit(X, LABELS).n_iter_ == 1


def test_the_module_is_left_alone():
    module = sequential()
    before = run(module)
    mlp = MLPRegressor.from_torch(module)
    for coef in mlp.coefs_:
        coef[:] = 0
    assert np.array_equal(run(module), before)
    mlp = network("relu")
    want = mlp.predict(X)
    for parameter in mlp.to_torch().parameters():
        parameter.data.zero_()
    assert np.array_equal(mlp.predict(X), want)


def test_other_precisions():
    assert MLPRegressor.from_torch(sequential().to(torch.bfloat16)).coefs_[0].dtype == np.float32
    assert MLPRegressor.from_torch(sequential().double()).coefs_[0].dtype == np.float64


def test_saved_and_loaded(tmp_path):
    mlp = MLPRegressor.from_torch(sequential())
    mlp.save(tmp_path / "mlp")
    assert np.array_equal(MLPRegressor.load(tmp_path / "mlp").predict(X), mlp.predict(X))


LINEAR = nn.Linear(4, 4)


@pytest.mark.parametrize(
    "modules, said",
    [([nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)], r"module '1' .* BatchNorm1d\(.*no counterpart"),
     ([nn.Linear(4, 4), nn.ReLU(), nn.Tanh(), nn.Linear(4, 2)], r"module '2' .* Tanh\(\), after '1'"),
     ([nn.Linear(4, 4), nn.Dropout(), nn.ReLU(), nn.Linear(4, 2)], r"module '2' .* ReLU\(\)"),
     ([nn.Tanh(), nn.Linear(4, 4)], r"module '0' .* Tanh\(\), before the first"),
     ([nn.Flatten(), nn.Linear(4, 4)], r"module '0' .* Flatten"),
     ([nn.Linear(4, 4), nn.Softmax(dim=0), nn.Linear(4, 2)], r"module '1' .* with dim=0"),
     ([nn.Linear(4, 4), nn.Softplus(threshold=5), nn.Linear(4, 2)], r"module '1' .* with threshold=5"),
     ([nn.Linear(4, 4), nn.ReLU()], r"module '1' .* at the end"),
     ([nn.Linear(4, 4), nn.Sigmoid()], r"ends in sigmoid"),
     ([nn.Linear(4, 4), nn.Dropout()], r"module '1' .* Dropout"),
     ([nn.Linear(4, 4), nn.ReLU(), nn.Linear(6, 2)], r"a Linear of 6 inputs follows one of 4 outputs"),
     ([nn.Linear(4, 4), nn.Sequential(nn.ReLU(), nn.Conv1d(4, 4, 1)), nn.Linear(4, 2)], r"module '1\.1' .* Conv1d"),
     ([nn.ReLU()], "no Linear")],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_modules_without_counterpart_are_named(modules, said):
    with pytest.raises(ValueError, match=said):
        MLPRegressor.from_torch(nn.Sequential(*modules))


def test_other_errors():
    with pytest.raises(TypeError, match="takes a torch.nn.Sequential, got Linear"):
        MLPRegressor.from_torch(LINEAR)
    with pytest.raises(ValueError, match="classes=.* are for a classifier"):
        MLPRegressor.from_torch(sequential(), [0, 1, 2])
    for classes in ([0, 1], [2, 1, 0], [0, 0, 1]):
        with pytest.raises(
            ValueError, match=re.escape(f"classes={classes} are not 3 different labels in sorted order")
        ):
            MLPClassifier.from_torch(sequential(), classes)
    with pytest.raises(ValueError, match="classes="):
        MLPClassifier.from_torch(sequential(nn.Sigmoid()), [0, 1, 2])
    with pytest.raises(ValueError, match="constant"):
        MLPClassifier.from_torch(sequential(nn.Softmax(dim=1), n_outputs=1))


# ---- functions of tensors ----


@pytest.mark.parametrize("name", {**registry.axis_functions, **registry.composed_functions})
def test_functions_along_an_axis_give_tensors_back(name):
    """Without a warning of deprecation, which the settings of these tests make an error."""
    more = [2] if name == "maxout" else []
    x = torch.from_numpy(X)
    got = getattr(pr, name)(x, *more)
    assert isinstance(got, torch.Tensor)
    assert np.array_equal(got.numpy(), getattr(pr, name)(X, *more))
    gradient = getattr(pr.vjp, name)(x, got, *more)
    assert isinstance(gradient, torch.Tensor)
    assert np.array_equal(gradient.numpy(), getattr(pr.vjp, name)(X, got.numpy(), *more))


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # NumPy's own, as for numpy.tanh
def test_elementwise_functions_give_tensors_back():
    for name in ("gelu", "leaky_relu", "tanh"):
        assert isinstance(getattr(pr, name)(torch.from_numpy(X)), torch.Tensor)


def test_the_example_in_the_documentation():
    page = (Path(__file__).parent.parent / "docs" / "deploy.md").read_text()
    [example] = re.findall(r"^```py\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    exec(compile(example, "deploy.md", "exec"), {})
