"""What a user may write: no type checker finds fault with it, and each value has the type that it is said to have."""

from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import pyrelu as pr
from pyrelu import MLPClassifier, MLPRegressor
from pyrelu.callbacks import Checkpoint, EarlyStopping
from pyrelu.inspection import LayerRecord, dead_units, gradient_norms, layer_report, local_linear_map, repeated
from pyrelu.plot import ActivationGridDisplay, LossCurveDisplay

x = np.ones((4, 3))
single: NDArray[np.float32] = np.ones((4, 3), np.float32)
counts: NDArray[np.int64] = np.arange(3)
for function in (pr.relu, pr.gelu, pr.derivative.tanh, pr.derivative.elu, pr.leaky_relu):
    assert_type(function(single), NDArray[np.float32])
assert_type(pr.relu(x).shape, tuple[int, int])
assert_type(pr.relu(x, out=x).shape, tuple[int, int])
assert_type(pr.relu(np.float32(1)), np.float32)
assert_type(pr.relu(1.5), np.float64)
assert_type(pr.relu([1, 2.5]), NDArray[np.float64])
assert_type(pr.relu(counts), NDArray[np.floating[Any]])
assert_type(pr.relu(single, dtype=np.float64), Any)
assert_type(pr.leaky_relu(single, negative_slope=0.2), NDArray[np.float32])
assert_type(pr.leaky_relu(single, x), Any)  # of the wider type
assert_type(pr.leaky_relu(1, 0.2), np.float64)
assert_type(pr.gelu(single, "tanh", where=single > 0), NDArray[np.float32])
assert_type(pr.elu(x, out=single), NDArray[np.float32])
assert_type(pr.derivative.gelu(1.5), np.float64)
assert_type(pr.vjp.softplus(single, single, beta=2.0), NDArray[np.float32])
assert_type(pr.vjp.relu(single, 1.0), NDArray[np.float32])
assert_type(pr.vjp.relu(1.5, 2), np.float64)
assert_type(pr.softmax(single, axis=0), NDArray[np.float32])
assert_type(pr.softmax([1.0, 2.0]), NDArray[np.float64])
assert_type(pr.vjp.softmax(single, single), NDArray[np.float32])
assert_type(pr.maxout(single, 2), NDArray[np.float32])
assert_type(pr.glu(counts), NDArray[np.floating[Any]])
assert_type(pr.logsumexp(x), Any)  # a number or an array: the shape decides
assert_type(pr.swish.nin, int)
assert_type(pr.activations["gelu"].formula, str)
assert_type(pr.registry.find("swish").name, str)
assert_type(pr.activations["gelu"].piecewise_linear, bool)
pr.set_num_threads(2)
assert_type(pr.get_num_threads(), int)


def slope(fan: tuple[int, int], state: np.random.RandomState) -> NDArray[np.float64]:
    """Draw weights."""
    return state.normal(size=fan)


labels = ["a", "b", "a", "b"]
mlp = MLPClassifier(
    (64, 32),
    activation=("gelu", ("leaky_relu", {"negative_slope": 0.2})),
    solver="adamw",
    learning_rate=("step", {"step_size": 10}),
    dropout=[0.0, 0.5, 0.5],
    init=slope,
    class_weight={"a": 2.0},
    early_stopping=True,
    scoring="neg_log_loss",
    clip_norm=None,
    random_state=np.random.RandomState(0),
    n_threads=2,
)
assert_type(mlp.set_callbacks(Checkpoint(Path("fit"), every=5), EarlyStopping("loss", patience=3)), MLPClassifier)
assert_type(mlp.fit(x, labels, eval_set=(x, labels)), MLPClassifier)
assert_type(mlp.partial_fit(x, labels, classes=["a", "b"]), MLPClassifier)
assert_type(mlp.predict_proba([[0.0, 1.0, 2.0]]), NDArray[Any])
assert_type(mlp.coefs_, list[NDArray[Any]])
assert_type(mlp.dead_units_, list[NDArray[np.bool_]])
assert_type(mlp.loss_curve_, list[float])
assert_type(mlp.best_loss_, float | None)
assert_type(mlp.n_iter_, int)
assert_type(mlp.alpha, float)
mlp.save(Path("mlp.safetensors"))
assert_type(MLPClassifier.load("mlp.safetensors"), MLPClassifier)
assert_type(MLPRegressor.load("mlp.safetensors"), MLPRegressor)
regressor = MLPRegressor("poisson", 8, "tanh", alpha=0, max_iter=3).fit(x, x[:, 0], sample_weight=np.ones(4))
assert_type(regressor, MLPRegressor)
assert_type(MLPRegressor.from_sklearn(regressor.to_sklearn()), MLPRegressor)
assert_type(mlp.members(), list[MLPClassifier])
assert_type(regressor.members(), list[MLPRegressor])

report = layer_report(mlp, x, labels)
assert_type(report[0], LayerRecord)
assert_type(report[0].dead, float)
assert_type(dead_units(mlp, x), list[NDArray[np.bool_]])
assert_type(gradient_norms(mlp, x, labels), NDArray[Any])
assert_type(local_linear_map(regressor, x[0]).W.ndim, int)
assert_type(repeated("gelu", x, 3).value.ndim, int)
LossCurveDisplay.from_estimators({"one": mlp, "two": regressor}).plot()
ActivationGridDisplay.from_names(["relu", "gelu"], columns=2).figure_.savefig("activations.png")
